package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"dubbo.apache.org/dubbo-go/v3/common/constant"
	hessian "github.com/apache/dubbo-go-hessian2"
	"github.com/apache/dubbo-go-hessian2/java_exception"
)

func (c *consumer) exceptionDeclared() error {
	_, err := c.kitchen.FailDeclared(ctx(), "the oven is cold")
	var declared *KitchenException
	if !errors.As(err, &declared) || declared.DetailMessage != "the oven is cold" {
		return fmt.Errorf("failDeclared: got %T: %v", err, err)
	}
	return nil
}

func (c *consumer) exceptionRuntime() error {
	_, err := c.kitchen.FailRuntime(ctx(), "no gas")
	var runtime *java_exception.IllegalStateException
	if !errors.As(err, &runtime) || runtime.DetailMessage != "no gas" {
		return fmt.Errorf("failRuntime: got %T: %v", err, err)
	}
	return nil
}

func (c *consumer) exceptionGeneric() error {
	types := []string{"java.lang.String"}
	_, err := c.generic.Invoke(ctx(), "failDeclared", types, []hessian.Object{"the oven is cold"})
	if err == nil || !strings.Contains(err.Error(), "the oven is cold") {
		return fmt.Errorf("$invoke of failDeclared: got %T: %v", err, err)
	}
	got, err := c.generic.Invoke(ctx(), "echoString", types, []hessian.Object{"generic"})
	if err != nil || got != "generic" {
		return fmt.Errorf("$invoke of echoString: got %s, %v", brief(got), err)
	}
	return nil
}

// onewayCalls has no choice of `sent`: dubbo-go returns when the message is handed to its connection.
func (c *consumer) onewayCalls() error {
	key := fmt.Sprint("key ", time.Now().UnixNano())
	for range 3 {
		if err := c.oneway.Note(ctx(), key); err != nil {
			return fmt.Errorf("note: %w", err)
		}
	}
	noted := int32(0)
	for end := time.Now().Add(5 * time.Second); noted < 3 && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		var err error
		if noted, err = c.kitchen.Noted(ctx(), key); err != nil {
			return fmt.Errorf("noted: %w", err)
		}
	}
	if noted != 3 {
		return fmt.Errorf("noted %d of 3", noted)
	}
	return c.same("oneway")
}

// asyncCalls makes the calls before the first answer is read. An answer comes without the name of its call.
func (c *consumer) asyncCalls() error {
	missing := map[string]bool{}
	for call := range 20 {
		value := fmt.Sprint("call ", call)
		missing[value] = true
		if _, err := c.async.EchoAsync(ctx(), value); err != nil {
			return fmt.Errorf("%s: %w", value, err)
		}
	}
	for range 20 {
		select {
		case answer := <-c.async.answers:
			value, ok := answer.(*string)
			if !ok || value == nil || !missing[*value] {
				return fmt.Errorf("got %s, not one of %v", brief(answer), missing)
			}
			delete(missing, *value)
		case <-time.After(callTimeout):
			return fmt.Errorf("no answer for %v", missing)
		}
	}
	return nil
}

// attachment calls the method of that name with attachments, and returns its answer and the response attachments.
func (c *consumer) attachment(name string, given map[string]any) (any, map[string]any, error) {
	answers := map[string]any{}
	with := context.WithValue(context.WithValue(ctx(), constant.AttachmentKey, given), answerKey{}, answers)
	value, err := c.kitchen.Attachment(with, name)
	return value, answers, err
}

func (c *consumer) attachments() error {
	given := map[string]any{"tag": "canary", "trace": "0123456789abcdef", "empty": "", "größe": "中文 😀",
		"method": "not the method"}
	for name, value := range given {
		got, answers, err := c.attachment(name, given)
		if err != nil {
			return fmt.Errorf("attachment %s: %w", name, err)
		}
		if got != value {
			return fmt.Errorf("attachment %s: sent %s, the provider saw %s", name, brief(value), brief(got))
		}
		if answers["answer-"+name] != value {
			return fmt.Errorf("response attachment answer-%s: %s of %s", name, brief(answers["answer-"+name]), brief(answers))
		}
	}
	// dubbo-go puts the interface over it that is called, and Java providers hide it from their services.
	got, _, err := c.attachment("interface", map[string]any{"interface": "not the interface"})
	if err != nil || got != nil && got != kitchenInterface {
		return fmt.Errorf("attachment interface: got %s, %v", brief(got), err)
	}
	if got, _, err = c.attachment("tag", map[string]any{}); err != nil || got != nil {
		return fmt.Errorf("an attachment of an earlier call: got %s, %v", brief(got), err)
	}
	return nil
}

func (c *consumer) concurrent() error {
	done := make(chan error)
	for thread := range 50 {
		go func() {
			for call := range 20 {
				value := fmt.Sprintf("caller %d %d", thread, call)
				if err := echoed("echoString", value, c.kitchen.EchoString); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	var failed error
	for range 50 {
		failed = first(failed, <-done)
	}
	return failed
}

// refused judges the error of a call that nobody serves: it has to be told at once.
func refused(call func() (any, error)) error {
	began := time.Now()
	got, err := call()
	if err == nil {
		return fmt.Errorf("got %s", brief(got))
	}
	if took := time.Since(began); took > callTimeout/2 {
		return fmt.Errorf("told after %s only: %w", took, err)
	}
	return nil
}

func (c *consumer) unknownMethod() error {
	return first(refused(func() (any, error) { return c.kitchen.Bake(ctx()) }), c.same("bake"))
}

func (c *consumer) unknownService() error {
	return first(refused(func() (any, error) { return c.cellar.Fetch(ctx(), "wine") }), c.same("fetch"))
}
