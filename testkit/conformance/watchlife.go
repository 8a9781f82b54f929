package conformance

import (
	"context"
	"sync"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// watchLifeCases are about the beginning and the end of watches, and about what they share.
func watchLifeCases() []testCase {
	return []testCase{
		{
			rule: "W5", name: "a hundred watchers of a name cost one stream",
			why:  "a process may watch a service from every corner of its code",
			play: sharedStream,
		},
		{
			rule: "W5", name: "a watcher that leaves takes nothing from the others",
			why: "sharing must not show",
			play: func(s *scene) {
				a, b := s.pair()
				service := s.service(s.name("api"), "1")
				first, second := b.watch(service.Name), b.watch(service.Name)
				first.healthy(s.soon())
				second.healthy(s.soon())
				first.watcher.Stop()
				first.ends(s.soon())
				a.register(service)
				second.healthy(s.soon(), service)
				third := b.watch(service.Name)
				third.healthy(s.soon(), service)
				second.watcher.Stop()
				a.deregister(service)
				third.healthy(s.soon())
				second.ends(s.soon())
			},
		},
		{
			rule: "W6", name: "Stop is idempotent, from anywhere, and ends the channel",
			why: "the parts of a process that end do not know of each other",
			play: func(s *scene) {
				w := s.member().watch(s.name("api"))
				w.next(s.soon())
				var stopping sync.WaitGroup
				for range 8 {
					stopping.Go(w.watcher.Stop)
				}
				stopping.Wait()
				w.ends(s.soon())
				w.watcher.Stop()
				_, err := w.watcher.Start(s.ctx())
				s.is(err, reception.ErrStarted)
			},
		},
		{
			rule: "W6", name: "a second Start, and one after Stop, is an error",
			why: "a watcher is one watch",
			play: func(s *scene) {
				m := s.member()
				w := m.watch(s.name("api"))
				_, err := w.watcher.Start(s.ctx())
				s.is(err, reception.ErrStarted)
				w.next(s.soon()) // the first one is not disturbed
				stopped := m.NewWatcher(s.name("api"))
				stopped.Stop()
				stopped.Stop()
				_, err = stopped.Start(s.ctx())
				s.is(err, reception.ErrStarted)
				l := m.watchLeader(s.name("job"))
				_, err = l.watcher.Start(s.ctx())
				s.is(err, reception.ErrStarted)
				l.watcher.Stop()
				l.watcher.Stop()
				l.ends(s.soon())
			},
		},
		{
			rule: "W6", name: "the context is the watch's life",
			why: "a reader that goes away must not leave a watch behind",
			play: func(s *scene) {
				a, b := s.pair()
				service := s.service(s.name("api"), "1")
				ctx, cancel := context.WithCancel(s.ctx())
				watcher := b.NewWatcher(service.Name)
				states, err := watcher.Start(ctx)
				s.ok(err)
				w := &reader{s: s, watcher: watcher, states: states}
				w.next(s.soon())
				other := b.watch(service.Name)
				other.next(s.soon())
				cancel()
				w.ends(s.soon())
				a.register(service)
				other.healthy(s.soon(), service)
			},
		},
		{
			rule: "W6", name: "a bad name is reported by Start",
			why: "a watch that can never show anything must not look like one that has nothing to show",
			play: func(s *scene) {
				m := s.member()
				for _, name := range []string{"", "with space", "/"} {
					_, err := m.NewWatcher(name).Start(s.ctx())
					s.is(err, reception.ErrInvalidService)
					_, err = m.NewLeaderWatcher(name).Start(s.ctx())
					s.is(err, reception.ErrInvalidService)
				}
			},
		},
		{
			rule: "W6", name: "a reader may stop from within its loop, and the iterator does",
			why: "that is where most readers notice that they have seen enough",
			play: func(s *scene) {
				a, b := s.pair()
				service := s.service(s.name("api"), "1")
				a.register(service)
				states := 0
				for state := range reception.Watch(s.ctx(), b, service.Name) {
					if states++; state.Err == nil && sameServices(state.Services, []*reception.Service{service}) {
						break
					}
				}
				if states == 0 {
					s.Fatal("the iterator has ended without a state")
				}
				s.eventually(s.soon(), "the stream is closed", func() bool { return b.streams(driver.OpWatchService) == 0 })
			},
		},
		{
			rule: "W6", name: "three hundred watches that come and go leave nothing",
			why:  "what leaks by the watch fills a process or a server in a week",
			play: watchesComeAndGo,
		},
		{
			rule: "W6", name: "spi: a stream that is closed says so, one that is waited for briefly loses nothing",
			why:  "the end of a wait is no end of the stream",
			play: spiStreamLife,
		},
	}
}

func sharedStream(s *scene) {
	a, b := s.pair()
	service := s.service(s.name("api"), "1")
	readers := make([]*reader, 100)
	for i := range readers {
		readers[i] = b.watch(service.Name)
	}
	a.register(service)
	for _, r := range readers {
		r.healthy(s.soon(), service)
	}
	if n := len(b.sent(driver.OpWatchService)); n != 1 {
		s.Errorf("%d watchers have opened %d streams", len(readers), n)
	}
	for _, r := range readers {
		r.watcher.Stop()
	}
	s.eventually(s.soon(), "the stream is closed", func() bool { return b.streams(driver.OpWatchService) == 0 })
	b.watch(service.Name).healthy(s.soon(), service)
}

func watchesComeAndGo(s *scene) {
	a, b := s.pair()
	service := s.service(s.name("api"), "1")
	a.register(service)
	for i := range 300 {
		ctx, cancel := context.WithCancel(s.ctx())
		watcher := b.NewWatcher(service.Name)
		states, err := watcher.Start(ctx)
		s.ok(err)
		if i%3 == 0 {
			if _, ok := receive(states, s.soon()); !ok {
				s.Fatalf("watch %d has shown nothing", i)
			}
		}
		if i%2 == 0 {
			watcher.Stop()
		}
		cancel()
	}
	for _, op := range []*driver.Operation{driver.OpWatchService, driver.OpWatchLeader} {
		s.eventually(s.soon(), "all streams are closed", func() bool { return b.streams(op) == 0 })
	}
	b.watch(service.Name).healthy(s.soon(), service)
}

func spiStreamLife(s *scene) {
	d, e := s.direct(), s.direct()
	name := s.name("api")
	session, _ := d.session()
	w := e.watchService(name)
	for range 3 {
		if batch, err := w.stream.Next(s.brief(s.poll())); err == nil && len(batch.Changes) > 0 {
			s.Fatalf("nothing has happened, and the stream shows %+v", batch)
		} else if err != nil {
			s.is(err, context.DeadlineExceeded)
		}
	}
	d.register(session, s.instance(name, "1", "me", 1))
	w.until(s.soon(), "the record shows", func(present map[string]*driver.Instance) bool { return len(present) == 1 })
	waiting := make(chan error, 1)
	s.start(func() {
		for {
			if _, err := w.stream.Next(s.ctx()); err != nil {
				waiting <- err
				return
			}
		}
	})
	s.never(s.poll(), "Next has failed", func() bool { return len(waiting) > 0 })
	w.stream.Close()
	w.stream.Close()
	err, ended := receive(waiting, s.soon())
	if !ended {
		s.Fatal("Next still waits after Close")
	}
	s.is(err, driver.ErrClosed)
	_, err = w.stream.Next(s.ctx())
	s.is(err, driver.ErrClosed)
	e.watchService(name).until(s.soon(), "another stream works", func(present map[string]*driver.Instance) bool {
		return len(present) == 1
	})
}
