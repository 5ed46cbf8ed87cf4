// Command kitchen is both the server and the client of the interop runs on CloudWeGo's Kitex.
package main

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"sync"

	"github.com/cloudwego/kitex/pkg/remote"
	"github.com/cloudwego/kitex/transport"
)

var transports = map[string]transport.Protocol{
	"framed": transport.Framed, "buffered": transport.PurePayload,
	"ttheader": transport.TTHeader, "ttheader-framed": transport.TTHeaderFramed,
}

// dialect is what the command line says of transport and protocol.
type dialect struct {
	transport, protocol string
	multiplexed         bool
}

func (d *dialect) define(words *flag.FlagSet) {
	words.StringVar(&d.transport, "transport", "framed", "framed, buffered, ttheader or ttheader-framed")
	words.StringVar(&d.protocol, "protocol", "binary", "binary")
	words.BoolVar(&d.multiplexed, "multiplexed", false, "not there")
}

// check ends the program if Kitex has no words for the dialect.
func (d *dialect) check() {
	if _, known := transports[d.transport]; !known || d.protocol != "binary" || d.multiplexed {
		fmt.Println("skipped all: Kitex speaks the strict binary protocol with one service, and no THeader")
		os.Exit(2)
	}
}

func (d *dialect) ttheader() bool { return transports[d.transport]&transport.TTHeader != 0 }

// headers are what a client sends with each call, and what came with the last answer.
type headers struct {
	mutex    sync.Mutex
	toSend   map[string]string
	received map[string]string
}

func (h *headers) set(all map[string]string) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.toSend = all
}

func (h *headers) ofAnswer(name string) (string, bool) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	value, there := h.received[name]
	return value, there
}

// WriteMeta adds to the headers of a call.
func (h *headers) WriteMeta(ctx context.Context, message remote.Message) (context.Context, error) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	message.TransInfo().PutTransStrInfo(maps.Clone(h.toSend))
	return ctx, nil
}

// ReadMeta keeps the headers of an answer.
func (h *headers) ReadMeta(ctx context.Context, message remote.Message) (context.Context, error) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.received = maps.Clone(message.TransInfo().TransStrInfo())
	return ctx, nil
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "kitchen server|client")
		os.Exit(2)
	}
	switch os.Args[1] {
	case "server":
		serve(os.Args[2:])
	case "client":
		call(os.Args[2:])
	}
}
