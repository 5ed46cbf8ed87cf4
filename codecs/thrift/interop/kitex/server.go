package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"maps"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/cloudwego/kitex/pkg/remote"
	"github.com/cloudwego/kitex/pkg/transmeta"
	"github.com/cloudwego/kitex/server"

	"metaproto/interop/kitex/kitex_gen/kitchen"
	service "metaproto/interop/kitex/kitex_gen/kitchen/kitchen"
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
	both, _ := ctx.Value(exchangeKey{}).(*exchange)
	both.answer["answered-by"] = c.tag
	return both.call[name], nil
}

// exchange has the headers of a call and of its answer. Kitex itself hands out only those whose names begin as it wants.
type exchange struct{ call, answer map[string]string }

// exchangeKey is the key of a call's *exchange in its context.
type exchangeKey struct{}

type exchanges struct{}

// ReadMeta keeps the headers of a call.
func (exchanges) ReadMeta(ctx context.Context, message remote.Message) (context.Context, error) {
	both := &exchange{call: maps.Clone(message.TransInfo().TransStrInfo()), answer: map[string]string{}}
	return context.WithValue(ctx, exchangeKey{}, both), nil
}

// WriteMeta adds to the headers of an answer.
func (exchanges) WriteMeta(ctx context.Context, message remote.Message) (context.Context, error) {
	if both, there := ctx.Value(exchangeKey{}).(*exchange); there {
		message.TransInfo().PutTransStrInfo(both.answer)
	}
	return ctx, nil
}

func serve(arguments []string) {
	var spoken dialect
	words := flag.NewFlagSet("server", flag.ExitOnError)
	port := words.Int("port", 0, "port to listen on")
	tag := words.String("tag", "kitex", "what whoami answers")
	spoken.define(words)
	_ = words.Parse(arguments)
	spoken.check()

	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", *port))
	if err != nil {
		log.Fatal(err)
	}
	options := []server.Option{
		server.WithListener(listener), server.WithMetaHandler(transmeta.ServerTTHeaderHandler), server.WithMetaHandler(exchanges{}),
	}
	// A server with this takes TTHeader only, and answers the calls of one connection at once, in any order. One without takes
	// all transports, and one call of a connection after the other.
	if spoken.transport == "ttheader" {
		options = append(options, server.WithMuxTransport())
	}
	kitchen := service.NewServer(&cook{tag: *tag, notes: map[string]int32{}}, options...)
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-ended
		os.Exit(0)
	}()
	fmt.Printf("listening on %s\n", listener.Addr())
	if err := kitchen.Run(); err != nil {
		log.Fatal(err)
	}
}
