package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/cloudwego/kitex/client"
	"github.com/cloudwego/kitex/pkg/connpool"
	"github.com/cloudwego/kitex/pkg/transmeta"
	"github.com/cloudwego/kitex/transport"

	"metaproto/interop/kitex/kitex_gen/kitchen/kitchen"
	"metaproto/interop/kitex/kitex_gen/kitchen/kitchenoftomorrow"
)

var errSkipped = errors.New("skipped")

// connection has the stubs of a service, which keep one connection each.
type connection struct {
	dialect  *dialect
	address  string
	headers  *headers
	kitchen  kitchen.Client
	tomorrow kitchenoftomorrow.Client
}

// connect makes the stubs, with more options for both.
func (d *dialect) connect(address string, more ...client.Option) (*connection, error) {
	c := &connection{dialect: d, address: address, headers: &headers{}}
	options := append([]client.Option{
		client.WithHostPorts(address),
		// The first unsets Kitex's own choice, to which any other is added.
		client.WithTransportProtocol(transport.PurePayload), client.WithTransportProtocol(transports[d.transport]),
		client.WithLongConnection(connpool.IdleConfig{MaxIdlePerAddress: 1, MaxIdleTimeout: time.Minute}),
		client.WithConnectTimeout(5 * time.Second), client.WithRPCTimeout(20 * time.Second),
	}, more...)
	if d.ttheader() {
		options = append(options, client.WithMetaHandler(transmeta.ClientTTHeaderHandler), client.WithMetaHandler(c.headers))
	}
	var err, other error
	c.kitchen, err = kitchen.NewClient("kitchen", options...)
	c.tomorrow, other = kitchenoftomorrow.NewClient("kitchen", options...)
	return c, errors.Join(err, other)
}

func (c *connection) close() {
	for _, stub := range []any{c.kitchen, c.tomorrow} {
		if closer, can := stub.(io.Closer); can {
			_ = closer.Close()
		}
	}
}

func why(problem error) string {
	text := []rune(strings.Join(strings.Fields(fmt.Sprintf("%T: %v", problem, problem)), " "))
	return string(text[:min(len(text), 300)])
}

func run(spoken *dialect, address string, one func(context.Context, *connection) error) (err error) {
	defer func() {
		if broken := recover(); broken != nil {
			err = fmt.Errorf("panic: %v", broken)
		}
	}()
	c, err := spoken.connect(address)
	if err != nil {
		return err
	}
	defer c.close()
	return one(context.Background(), c)
}

func call(arguments []string) {
	var spoken dialect
	words := flag.NewFlagSet("client", flag.ExitOnError)
	address := words.String("address", "", "HOST:PORT of the server")
	chosen := words.String("cases", "all", "names of cases, joined by commas")
	spoken.define(words)
	_ = words.Parse(arguments)
	spoken.check()

	names := strings.Split(*chosen, ",")
	if *chosen == "all" {
		names = order
	}
	failed := false
	for _, name := range names {
		one, known := cases[name]
		err := errors.New("no such case")
		if known {
			err = run(&spoken, *address, one)
		}
		switch {
		case err == nil:
			fmt.Println("ok", name)
		case errors.Is(err, errSkipped):
			fmt.Printf("skipped %s: %v\n", name, err)
		default:
			failed = true
			fmt.Printf("FAILED %s: %s\n", name, why(err))
		}
	}
	if failed {
		os.Exit(1)
	}
}
