package ledger

import (
	"context"
	"time"

	"github.com/go-reception/sdk/testkit/containers/internal/ledger/report"
)

var onTheWire = Figure{
	Name:  "wire",
	Title: "On the wire for each change",
	Method: "The same as above with a proxy between each client and the server, which counts bytes in both " +
		"directions and requests: messages of gRPC, packets of ZooKeeper, requests of HTTP. A change is a " +
		"registration and its removal, so what is counted is halved. Heartbeats that fall into the time are " +
		"counted, too.",
	Measures: []Measure{
		{"watcher's requests", report.Requests},
		{"watcher's traffic", report.Bytes},
		{"writer's requests", report.Requests},
		{"writer's traffic", report.Bytes},
	},
	Sizes: instances, SizesOf: "instances",
	On:    served,
	Phase: measureWire,
}

func measureWire(ctx context.Context, p *Phase) error {
	writer, atWriter, err := p.Proxied(ctx, defaultTTL)
	if err != nil {
		return err
	}
	reader, atReader, err := p.Proxied(ctx, defaultTTL)
	if err != nil {
		return err
	}
	// From one change seen to the next one seen there are a removal and a registration.
	written, read := atWriter.Counts(), atReader.Counts()
	return p.changes(ctx, writer, reader, 20, func(_, _ time.Time, warm bool) {
		w, r := atWriter.Counts(), atReader.Counts()
		if warm {
			wrote, saw := w.Since(written), r.Since(read)
			p.Record("writer's requests", float64(wrote.Requests)/2)
			p.Record("writer's traffic", float64(wrote.Sent+wrote.Received)/2)
			p.Record("watcher's requests", float64(saw.Requests)/2)
			p.Record("watcher's traffic", float64(saw.Sent+saw.Received)/2)
		}
		written, read = w, r
	})
}
