package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"sync"
	"time"

	"dubbo.apache.org/dubbo-go/v3"
	"dubbo.apache.org/dubbo-go/v3/common/constant"
	"dubbo.apache.org/dubbo-go/v3/graceful_shutdown"
	"dubbo.apache.org/dubbo-go/v3/protocol"
	"dubbo.apache.org/dubbo-go/v3/remoting/getty"
	"dubbo.apache.org/dubbo-go/v3/server"
	"github.com/apache/dubbo-go-hessian2/java_exception"
)

// Kitchen is the provider's side. dubbo-go finds its methods by reflection, and gives them the names that Java has.
type Kitchen struct {
	tag   string
	mutex sync.Mutex
	notes map[string]int32
}

func (*Kitchen) EchoString(_ context.Context, value string) (string, error)     { return value, nil }
func (*Kitchen) EchoInt(_ context.Context, value int32) (int32, error)          { return value, nil }
func (*Kitchen) EchoLong(_ context.Context, value int64) (int64, error)         { return value, nil }
func (*Kitchen) EchoDouble(_ context.Context, value float64) (float64, error)   { return value, nil }
func (*Kitchen) EchoBool(_ context.Context, value bool) (bool, error)           { return value, nil }
func (*Kitchen) EchoBytes(_ context.Context, value []byte) ([]byte, error)      { return value, nil }
func (*Kitchen) EchoDate(_ context.Context, value time.Time) (time.Time, error) { return value, nil }
func (*Kitchen) EchoAsync(_ context.Context, value string) (string, error)      { return value, nil }

// EchoUser takes its one argument in a list: dubbo-go would put an empty user in the place of null.
func (*Kitchen) EchoUser(_ context.Context, arguments []any) (*User, error) {
	if arguments[0] == nil {
		return nil, nil
	}
	value, ok := arguments[0].(*User)
	if !ok {
		return nil, fmt.Errorf("not a user, but %T", arguments[0])
	}
	return value, nil
}

// EchoUsers takes its one argument in a list, and as dubbo-go reads it: it would not convert Java's list by itself.
func (*Kitchen) EchoUsers(_ context.Context, arguments []any) ([]*User, error) {
	return userList(arguments[0])
}

// EchoMap takes its one argument in a list, for the same reason.
func (*Kitchen) EchoMap(_ context.Context, arguments []any) (map[string]*User, error) {
	return usersByName(arguments[0])
}

// EchoColor takes a pointer, as dubbo-go reads enums so.
func (*Kitchen) EchoColor(_ context.Context, value *Color) (Color, error) { return *value, nil }

func (*Kitchen) Nothing(context.Context) error           { return nil }
func (*Kitchen) NullString(context.Context) (any, error) { return nil, nil }

func (*Kitchen) FailDeclared(_ context.Context, message string) (string, error) {
	return "", &KitchenException{DetailMessage: message, StackTrace: []java_exception.StackTraceElement{}}
}

func (*Kitchen) FailRuntime(_ context.Context, message string) (string, error) {
	return "", java_exception.NewIllegalStateException(message)
}

func (k *Kitchen) Note(_ context.Context, key string) error {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	k.notes[key]++
	return nil
}

func (k *Kitchen) Noted(_ context.Context, key string) (int32, error) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	return k.notes[key], nil
}

// Attachment writes into the map that dubbo-go sends back: all request attachments, and this one.
func (*Kitchen) Attachment(ctx context.Context, name string) (any, error) {
	attachments, _ := ctx.Value(constant.AttachmentKey).(map[string]any)
	value, there := attachments[name]
	if !there {
		return nil, nil
	}
	attachments["answer-"+name] = value
	return value, nil
}

func (*Kitchen) Sleep(_ context.Context, milliseconds int32) (string, error) {
	time.Sleep(time.Duration(milliseconds) * time.Millisecond)
	return "slept", nil
}

func (k *Kitchen) Whoami(context.Context) (string, error) { return k.tag, nil }

func provide(words []string) error {
	options := flag.NewFlagSet("provider", flag.ExitOnError)
	port := options.Int("port", 0, "where to listen, on 127.0.0.1")
	tag := options.String("tag", "go", "what whoami answers")
	heartbeat := options.Duration("heartbeat", time.Minute, "how often a heartbeat is sent")
	if err := options.Parse(words); err != nil {
		return err
	}
	if *port == 0 {
		return errors.New("which --port?")
	}
	wire := getty.GetDefaultServerConfig()
	wire.HeartbeatPeriod = heartbeat.String()
	wire.GettySessionParam.MaxMsgLen = largestMessage
	getty.SetServerConfig(*wire)

	instance, err := dubbo.NewInstance(dubbo.WithName("interop-provider"), shutdown(),
		dubbo.WithRemoteMetadata()) // or it would serve its metadata on the same port, of all addresses
	if err != nil {
		return err
	}
	quiet()
	kitchen, err := instance.NewServer(
		server.WithServerProtocol(protocol.WithDubbo(), protocol.WithIp("127.0.0.1"), protocol.WithPort(*port)))
	if err != nil {
		return err
	}
	err = kitchen.RegisterService(&Kitchen{tag: *tag, notes: map[string]int32{}},
		server.WithInterface(kitchenInterface), server.WithVersion(serviceVersion), server.WithGroup(serviceGroup),
		server.WithSerialization(constant.Hessian2Serialization), server.WithNotRegister(),
		server.WithFilter("generic_service"))
	if err != nil {
		return err
	}
	go tellWhenListening(fmt.Sprintf("127.0.0.1:%d", *port))
	return kitchen.Serve()
}

// shutdown makes SIGTERM end the program as soon as the calls under way have been answered: there is no registry to wait
// for.
func shutdown() dubbo.InstanceOption {
	return dubbo.WithShutdown(graceful_shutdown.WithConsumerUpdateWaitTime(0),
		graceful_shutdown.WithOfflineRequestWindowTimeout(0), graceful_shutdown.WithStepTimeout(3*time.Second))
}

// tellWhenListening asks until somebody answers, as dubbo-go doesn't tell.
func tellWhenListening(address string) {
	for {
		connection, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			connection.Close()
			fmt.Fprintln(out, "listening on", address)
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}
