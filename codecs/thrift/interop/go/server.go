package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/apache/thrift/lib/go/thrift"

	"metaproto/interop/kitchen"
)

// cook answers what Kitchen is asked.
type cook struct {
	tag   string
	mutex sync.Mutex
	notes map[string]int32
}

func (c *cook) EchoBool(_ context.Context, value bool) (bool, error)         { return value, nil }
func (c *cook) EchoByte(_ context.Context, value int8) (int8, error)         { return value, nil }
func (c *cook) EchoShort(_ context.Context, value int16) (int16, error)      { return value, nil }
func (c *cook) EchoInt(_ context.Context, value int32) (int32, error)        { return value, nil }
func (c *cook) EchoLong(_ context.Context, value int64) (int64, error)       { return value, nil }
func (c *cook) EchoDouble(_ context.Context, value float64) (float64, error) { return value, nil }
func (c *cook) EchoString(_ context.Context, value string) (string, error)   { return value, nil }
func (c *cook) EchoBinary(_ context.Context, value []byte) ([]byte, error)   { return value, nil }
func (c *cook) EchoBools(_ context.Context, value []bool) ([]bool, error)    { return value, nil }
func (c *cook) EchoSet(_ context.Context, value []int32) ([]int32, error)    { return value, nil }

func (c *cook) EchoDish(_ context.Context, value *kitchen.Dish) (*kitchen.Dish, error) {
	return value, nil
}

func (c *cook) EchoFilling(_ context.Context, value *kitchen.Filling) (*kitchen.Filling, error) {
	return value, nil
}

func (c *cook) EchoSpices(_ context.Context, value []*kitchen.Spice) ([]*kitchen.Spice, error) {
	return value, nil
}

func (c *cook) EchoMap(_ context.Context, value map[string][]int32) (map[string][]int32, error) {
	return value, nil
}

func (c *cook) EchoNested(_ context.Context, value map[int32]map[string]*kitchen.Spice) (map[int32]map[string]*kitchen.Spice, error) {
	return value, nil
}

func (c *cook) Bake(_ context.Context, degrees int32) (string, error) {
	if degrees > 200 {
		return "", &kitchen.Burnt{Reason: "too hot", Degrees: degrees}
	}
	return fmt.Sprintf("baked at %d", degrees), nil
}

func (c *cook) Fail(_ context.Context, reason string) error { return errors.New(reason) }
func (c *cook) Nothing(context.Context) error               { return nil }
func (c *cook) Whoami(context.Context) (string, error)      { return c.tag, nil }

func (c *cook) Note(_ context.Context, key string) error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.notes[key]++
	return nil
}

func (c *cook) Noted(_ context.Context, key string) (int32, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.notes[key], nil
}

func (c *cook) Sleep(_ context.Context, ms int32) error {
	time.Sleep(time.Duration(ms) * time.Millisecond)
	return nil
}

func (c *cook) Header(ctx context.Context, name string) (string, error) {
	if helper, ok := thrift.GetResponseHelper(ctx); ok {
		helper.SetHeader("answered-by", c.tag)
	}
	if transport, ok := ctx.Value(ttheaderKey{}).(*ttheaderTransport); ok {
		transport.toSend = map[string]string{"answered-by": c.tag}
		return transport.received.StrInfo[name], nil
	}
	value, _ := thrift.GetHeader(ctx, name)
	return value, nil
}

// shelves answers what Pantry is asked.
type shelves struct{}

func (shelves) EchoString(_ context.Context, value string) (string, error) {
	return "pantry: " + value, nil
}

func (shelves) Shelf(_ context.Context, number int32) (string, error) {
	return fmt.Sprintf("shelf %d", number), nil
}

func serve(arguments []string) {
	log.SetOutput(os.Stderr)
	var spoken dialect
	words := flag.NewFlagSet("server", flag.ExitOnError)
	port := words.Int("port", 0, "port to listen on")
	tag := words.String("tag", "go", "what whoami answers")
	spoken.define(words)
	_ = words.Parse(arguments)

	var processor thrift.TProcessor = kitchen.NewKitchenProcessor(&cook{tag: *tag, notes: map[string]int32{}})
	if spoken.multiplexed {
		both := thrift.NewTMultiplexedProcessor()
		both.RegisterProcessor("Kitchen", processor)
		both.RegisterProcessor("Pantry", kitchen.NewPantryProcessor(shelves{}))
		processor = both
	}
	listener, err := thrift.NewTServerSocket(fmt.Sprintf("127.0.0.1:%d", *port))
	if err == nil {
		err = listener.Listen()
	}
	if err != nil {
		log.Fatal(err)
	}
	server := thrift.NewTSimpleServer4(processor, listener, spoken.transports(), spoken.protocols())
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-ended
		os.Exit(0)
	}()
	fmt.Printf("listening on %s\n", listener.Addr())
	serving := server.Serve
	if spoken.ttheader() {
		serving = func() error { return spoken.serveTTHeader(processor, listener) }
	}
	if err := serving(); err != nil {
		log.Fatal(err)
	}
}
