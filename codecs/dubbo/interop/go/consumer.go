package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"
	"time"

	"dubbo.apache.org/dubbo-go/v3/client"
	"dubbo.apache.org/dubbo-go/v3/common"
	"dubbo.apache.org/dubbo-go/v3/common/constant"
	"dubbo.apache.org/dubbo-go/v3/common/extension"
	"dubbo.apache.org/dubbo-go/v3/config/generic"
	"dubbo.apache.org/dubbo-go/v3/filter"
	"dubbo.apache.org/dubbo-go/v3/protocol/base"
	"dubbo.apache.org/dubbo-go/v3/protocol/result"
	"dubbo.apache.org/dubbo-go/v3/remoting"
	"dubbo.apache.org/dubbo-go/v3/remoting/getty"
)

const callTimeout = 10 * time.Second

// kitchenCalls is the consumer's side: dubbo-go fills in the functions. A method without a result has one here all the
// same, as dubbo-go refuses a two-way call that has nowhere to put an answer. An `any` can tell null from nothing.
type kitchenCalls struct {
	EchoString   func(context.Context, string) (string, error)        `dubbo:"echoString"`
	EchoInt      func(context.Context, int32) (int32, error)          `dubbo:"echoInt"`
	EchoLong     func(context.Context, int64) (int64, error)          `dubbo:"echoLong"`
	EchoDouble   func(context.Context, float64) (float64, error)      `dubbo:"echoDouble"`
	EchoBool     func(context.Context, bool) (bool, error)            `dubbo:"echoBool"`
	EchoBytes    func(context.Context, []byte) ([]byte, error)        `dubbo:"echoBytes"`
	EchoDate     func(context.Context, time.Time) (time.Time, error)  `dubbo:"echoDate"`
	EchoUser     func(context.Context, *User) (*User, error)          `dubbo:"echoUser"`
	EchoUsers    func(context.Context, []*User) (any, error)          `dubbo:"echoUsers"`
	EchoMap      func(context.Context, map[string]*User) (any, error) `dubbo:"echoMap"`
	EchoColor    func(context.Context, Color) (Color, error)          `dubbo:"echoColor"`
	Nothing      func(context.Context) (any, error)                   `dubbo:"nothing"`
	NullString   func(context.Context) (any, error)                   `dubbo:"nullString"`
	FailDeclared func(context.Context, string) (string, error)        `dubbo:"failDeclared"`
	FailRuntime  func(context.Context, string) (string, error)        `dubbo:"failRuntime"`
	Noted        func(context.Context, string) (int32, error)         `dubbo:"noted"`
	Attachment   func(context.Context, string) (any, error)           `dubbo:"attachment"`
	Whoami       func(context.Context) (string, error)                `dubbo:"whoami"`
	Bake         func(context.Context) (any, error)                   `dubbo:"bake"` // no such method
}

// onewayCalls is called with `async` and without a callback, which is how dubbo-go makes one-way calls.
type onewayCalls struct {
	Note func(context.Context, string) error `dubbo:"note"`
}

// asyncCalls returns at once from its calls; the answers come to CallBack.
type asyncCalls struct {
	EchoAsync func(context.Context, string) (string, error) `dubbo:"echoAsync"`
	answers   chan any
}

// CallBack is called by dubbo-go with each answer: what was told, or the error.
func (a *asyncCalls) CallBack(response common.CallbackResponse) {
	answer, _ := response.(remoting.AsyncCallbackResponse)
	told, _ := answer.Reply.(*remoting.Response)
	if told == nil {
		a.answers <- answer.Cause
		return
	}
	outcome, _ := told.Result.(*result.RPCResult)
	switch {
	case outcome == nil:
		a.answers <- fmt.Errorf("status %d", told.Status)
	case outcome.Err != nil:
		a.answers <- outcome.Err
	default:
		value, _ := outcome.Rest.(*string)
		a.answers <- value
	}
}

// cellarCalls is of a service that nobody serves.
type cellarCalls struct {
	Fetch func(context.Context, string) (any, error) `dubbo:"fetch"`
}

// answerKey is where a call's context has the map that its response attachments go to.
type answerKey struct{}

// answerFilter gets at the response attachments, which dubbo-go does not give to the caller.
type answerFilter struct{}

func (answerFilter) Invoke(ctx context.Context, invoker base.Invoker, call base.Invocation) result.Result {
	answer := invoker.Invoke(ctx, call)
	if into, ok := ctx.Value(answerKey{}).(map[string]any); ok {
		for name, value := range answer.Attachments() {
			into[name] = value
		}
	}
	return answer
}

func (answerFilter) OnResponse(_ context.Context, r result.Result, _ base.Invoker, _ base.Invocation) result.Result {
	return r
}

func init() {
	extension.SetFilter("answers", func() filter.Filter { return answerFilter{} })
}

// consumer has a reference for each way of calling; all share one connection for each provider.
type consumer struct {
	kitchen kitchenCalls
	oneway  onewayCalls
	async   asyncCalls
	generic *generic.GenericService
	cellar  cellarCalls
}

func newConsumer(addresses string) (*consumer, error) {
	made := &consumer{generic: generic.NewGenericService(kitchenInterface)}
	made.async.answers = make(chan any, 100)
	url := "dubbo://" + strings.ReplaceAll(addresses, ",", ";dubbo://")
	return made, first(
		refer(url, kitchenInterface, &made.kitchen),
		refer(url, kitchenInterface, &made.oneway, client.WithAsync()),
		refer(url, kitchenInterface, &made.async, client.WithAsync()),
		refer(url, kitchenInterface, made.generic, client.WithGeneric()),
		refer(url, cellarInterface, &made.cellar),
	)
}

// refer has dubbo-go fill in the functions of a service. Each reference has a client of its own, as references of one
// client share the options that are given for one of them.
func refer(url, name string, service any, options ...client.ReferenceOption) error {
	dubbo, err := client.NewClient(client.WithClientURL(url), client.WithClientRequestTimeout(callTimeout))
	if err != nil {
		return err
	}
	quiet()
	options = append(options, client.WithVersion(serviceVersion), client.WithGroup(serviceGroup),
		client.WithFilter("answers"), client.WithProtocolDubbo(),
		client.WithSerialization(constant.Hessian2Serialization), client.WithRetries(0),
		client.WithClusterFailOver(), client.WithLoadBalanceRandom())
	_, err = dubbo.DialWithService(name, service, options...)
	return err
}

func consume(words []string) error {
	options := flag.NewFlagSet("consumer", flag.ExitOnError)
	url := options.String("url", "", "the providers' addresses, with commas between")
	names := options.String("cases", "all", "the cases to run, with commas between")
	heartbeat := options.Duration("heartbeat", 30*time.Second, "how often a heartbeat is sent")
	idle := options.Duration("idle", 0, "how long to keep the connection afterwards, before a last call")
	if err := options.Parse(words); err != nil {
		return err
	}
	if *url == "" {
		return errors.New("which --url?")
	}
	wire := getty.GetDefaultClientConfig()
	wire.ConnectionNum = 1
	wire.HeartbeatPeriod = heartbeat.String()
	wire.GettySessionParam.MaxMsgLen = largestMessage
	getty.SetClientConf(*wire)

	made, err := newConsumer(*url)
	if err != nil {
		return err
	}
	failed := made.runAll(*names)
	if *idle > 0 {
		time.Sleep(*idle)
		failed = !report("idle", made.same("whoami")) || failed
	}
	if failed {
		return errors.New("not all is well")
	}
	return nil
}

// same makes one more call to see that the connection is still of use.
func (c *consumer) same(after string) error {
	return echoed("echoString after "+after, after, c.kitchen.EchoString)
}
