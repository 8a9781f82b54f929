package conformance

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// A direct is a connection whose operations a case calls itself.
type direct struct {
	driver.Backend

	s   *scene
	raw driver.Backend
}

// direct adds a connection to the scene.
func (s *scene) direct() *direct {
	s.Helper()
	raw, recorded := s.connect(reception.NewNilLogger())
	return &direct{recorded, s, raw}
}

// call calls an operation, whichever it is, with an empty request. A stream that it opens is closed again.
func (d *direct) call(ctx context.Context, op *driver.Operation) error {
	name := op.Name
	if op.Stream {
		name = "Open" + name
	}
	method := reflect.ValueOf(d.Backend).MethodByName(name)
	request := reflect.New(method.Type().In(1).Elem())
	results := method.Call([]reflect.Value{reflect.ValueOf(ctx), request})
	if stream, ok := reflect.TypeAssert[interface{ Close() }](results[0]); ok && !results[0].IsNil() {
		stream.Close()
	}
	err, _ := reflect.TypeAssert[error](results[1])
	return err
}

// open opens a session that nobody renews.
func (d *direct) open() *driver.OpenSessionResponse {
	d.s.Helper()
	opened, err := d.OpenSession(d.s.ctx(), &driver.OpenSessionRequest{})
	d.s.ok(err)
	if opened.TTL <= 0 || opened.RenewEvery <= 0 || opened.RenewEvery >= opened.TTL || opened.Settle < 0 {
		d.s.Fatalf("a session that nobody can keep: %+v", *opened)
	}
	return opened
}

// session opens a session that is renewed until stop is called or the case is over.
func (d *direct) session() (id driver.SessionID, stop func()) {
	d.s.Helper()
	opened := d.open()
	return opened.Session, d.keep(opened)
}

// keep has a session renewed until stop is called or the case is over.
func (d *direct) keep(session *driver.OpenSessionResponse) (stop func()) {
	ctx, cancel := context.WithCancel(d.s.ctx())
	d.s.Cleanup(cancel)
	done := d.s.start(func() {
		for sleep(ctx, session.RenewEvery) == nil {
			_, _ = d.RenewSession(ctx, &driver.RenewSessionRequest{Session: session.Session}) // it may have been ended
		}
	})
	return func() { cancel(); <-done }
}

// renewed renews a session and returns until when that is good.
func (d *direct) renewed(session *driver.OpenSessionResponse) (until time.Time) {
	d.s.Helper()
	sent := time.Now()
	renewed, err := d.RenewSession(d.s.ctx(), &driver.RenewSessionRequest{Session: session.Session})
	d.s.ok(err)
	if session.Settle > 0 { // the renewal counts once a later one is confirmed, too
		d.s.ok(sleep(d.s.ctx(), session.Settle))
		_, err = d.RenewSession(d.s.ctx(), &driver.RenewSessionRequest{Session: session.Session})
		d.s.ok(err)
	}
	return sent.Add(renewed.GoodFor)
}

// instance returns a record of owner.
func (s *scene) instance(name, id, owner string, generation uint64) driver.Instance {
	return driver.Instance{
		Service: driver.Service{
			ID: id, Name: name, Address: "192.0.2.1", Port: int(generation),
			Attributes: driver.Attributes{"owner": owner, "generation": fmt.Sprint(generation)},
		},
		Owner: owner, Generation: generation,
	}
}

// register stores a record.
func (d *direct) register(session driver.SessionID, instance driver.Instance) *driver.RegisterResponse {
	d.s.Helper()
	response, err := d.Register(d.s.ctx(), &driver.RegisterRequest{Session: session, Instance: instance})
	d.s.ok(err)
	return response
}

// restore heals a record.
func (d *direct) restore(session driver.SessionID, instance driver.Instance) error {
	_, err := d.Restore(d.s.ctx(), &driver.RestoreRequest{Session: session, Instance: instance})
	return err
}

// remove removes owner's record up to that generation.
func (d *direct) remove(name, id, owner string, generation uint64) (removed bool) {
	d.s.Helper()
	response, err := d.Deregister(d.s.ctx(), &driver.DeregisterRequest{
		Name: name, ID: id, Owner: owner, Generation: generation,
	})
	d.s.ok(err)
	return response.Removed
}

// stored lists the records of name.
func (d *direct) stored(name string) []*driver.Instance {
	d.s.Helper()
	response, err := d.ListServices(d.s.ctx(), &driver.ListServicesRequest{Name: name})
	d.s.ok(err)
	return response.Instances
}

// holds says whether the record is stored, as owner's of that generation, and is the only one of name.
func (d *direct) holds(want driver.Instance) bool {
	d.s.Helper()
	stored := d.stored(want.Service.Name)
	return len(stored) == 1 && sameInstance(stored[0], &want)
}

// sameInstance compares all that is the owner's to say.
func sameInstance(a, b *driver.Instance) bool {
	return a.Owner == b.Owner && a.Generation == b.Generation && a.Service.ID == b.Service.ID &&
		fmt.Sprint(a.Service) == fmt.Sprint(b.Service)
}

// enqueue puts a candidate into the queue.
func (d *direct) enqueue(session driver.SessionID, election, id string) {
	d.s.Helper()
	_, err := d.Enqueue(d.s.ctx(), &driver.EnqueueRequest{
		Session: session, Election: election, Service: driver.Service{ID: id, Name: election},
	})
	d.s.ok(err)
}

// awaitTurn waits for the candidate's turn and returns its token.
func (d *direct) awaitTurn(ctx context.Context, session driver.SessionID, election string) (token uint64, err error) {
	response, err := d.AwaitTurn(ctx, &driver.AwaitTurnRequest{Session: session, Election: election})
	if err != nil {
		return 0, err
	}
	return response.Token, nil
}

// confirm asks whether the term stands.
func (d *direct) confirm(session driver.SessionID, election string, token uint64) error {
	_, err := d.Confirm(d.s.ctx(), &driver.ConfirmRequest{Session: session, Election: election, Token: token})
	return err
}

// leads waits for the candidate's turn and begins its term.
func (d *direct) leads(session driver.SessionID, election string) (token uint64) {
	d.s.Helper()
	token, err := d.awaitTurn(d.s.brief(d.s.gone()), session, election)
	d.s.ok(err)
	d.s.ok(d.confirm(session, election, token))
	return token
}

// withdraw gives a candidacy up.
func (d *direct) withdraw(session driver.SessionID, election string) error {
	_, err := d.Withdraw(d.s.ctx(), &driver.WithdrawRequest{Session: session, Election: election})
	return err
}
