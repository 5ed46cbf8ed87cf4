package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/apache/thrift/lib/go/thrift"

	"metaproto/interop/kitchen"
)

var errSkipped = errors.New("skipped")

// connection is a connection with the stubs of both services on it.
type connection struct {
	dialect   *dialect
	address   string
	transport thrift.TTransport
	protocol  thrift.TProtocol
	standard  *thrift.TStandardClient
	kitchen   *kitchen.KitchenOfTomorrowClient
	pantry    *kitchen.PantryClient
}

func (d *dialect) connect(address string) (*connection, error) {
	configuration := d.configuration()
	transport, err := d.transports().GetTransport(thrift.NewTSocketConf(address, configuration))
	if err != nil {
		return nil, err
	}
	protocol := d.protocols().GetProtocol(transport)
	// A header protocol has wrapped the transport once more.
	transport = protocol.Transport()
	if err := transport.Open(); err != nil {
		return nil, err
	}
	c := &connection{dialect: d, address: address, transport: transport, protocol: protocol}
	c.standard = thrift.NewTStandardClient(protocol, c.named("Kitchen"))
	c.kitchen = kitchen.NewKitchenOfTomorrowClient(c.standard)
	c.pantry = kitchen.NewPantryClient(thrift.NewTStandardClient(protocol, c.named("Pantry")))
	return c, nil
}

func (c *connection) named(service string) thrift.TProtocol {
	if c.dialect.multiplexed {
		return thrift.NewTMultiplexedProtocol(c.protocol, service)
	}
	return c.protocol
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
	defer c.transport.Close()
	return one(context.Background(), c)
}

func call(arguments []string) {
	var spoken dialect
	words := flag.NewFlagSet("client", flag.ExitOnError)
	address := words.String("address", "", "HOST:PORT of the server")
	chosen := words.String("cases", "all", "names of cases, joined by commas")
	spoken.define(words)
	_ = words.Parse(arguments)

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
