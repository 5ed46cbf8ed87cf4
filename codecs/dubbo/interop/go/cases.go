package main

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"reflect"
	"strings"
	"time"
)

// runAll runs the cases that are asked for, tells how each went, and whether one failed.
func (c *consumer) runAll(names string) bool {
	cases := []struct {
		name string
		run  func() error
	}{
		{"strings", c.strings},
		{"numbers", c.numbers},
		{"pojo", c.pojo},
		{"list", c.list},
		{"map", c.maps},
		{"enum", c.enums},
		{"bytes", c.bytes},
		{"date", c.dates},
		{"exception-declared", c.exceptionDeclared},
		{"exception-runtime", c.exceptionRuntime},
		{"exception-generic", c.exceptionGeneric},
		{"null", c.null},
		{"void", c.void},
		{"oneway", c.onewayCalls},
		{"async", c.asyncCalls},
		{"large", c.large},
		{"attachments", c.attachments},
		{"concurrent", c.concurrent},
		{"unknown-method", c.unknownMethod},
		{"unknown-service", c.unknownService},
	}
	wanted := map[string]bool{}
	for _, name := range strings.Split(names, ",") {
		wanted[name] = true
	}
	failed := false
	for _, each := range cases {
		if wanted["all"] || wanted[each.name] {
			failed = !report(each.name, each.run()) || failed
		}
		delete(wanted, each.name)
	}
	delete(wanted, "all")
	for name := range wanted {
		failed = !report(name, fmt.Errorf("there is no such case")) || failed
	}
	return failed
}

// report tells how a case went, on one line, and whether well.
func report(name string, err error) bool {
	if err != nil {
		fmt.Fprintf(out, "FAILED %s: %s\n", name, brief(strings.ReplaceAll(err.Error(), "\n", " ")))
		return false
	}
	fmt.Fprintln(out, "ok", name)
	return true
}

func brief(value any) string {
	text := fmt.Sprintf("%+v", value)
	if len(text) > 300 {
		text = text[:300] + fmt.Sprintf(".. (%d bytes)", len(text))
	}
	return text
}

func ctx() context.Context { return context.Background() }

// echoed makes a call whose answer has to be what was sent.
func echoed[T any](what string, value T, call func(context.Context, T) (T, error)) error {
	got, err := call(ctx(), value)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if !reflect.DeepEqual(got, value) {
		return fmt.Errorf("%s: sent %s, got %s", what, brief(value), brief(got))
	}
	return nil
}

// allEchoed makes a call for each value.
func allEchoed[T any](what string, call func(context.Context, T) (T, error), values ...T) error {
	for _, value := range values {
		if err := echoed(what, value, call); err != nil {
			return err
		}
	}
	return nil
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *consumer) strings() error {
	values := []string{"", "plain", "äöüß", "中文字符", "emoji 😀👩‍🚀", strings.Repeat("😀", 700)}
	for _, length := range []int{31, 32, 1023, 1024, 40_000} {
		values = append(values, strings.Repeat("s", length))
	}
	values = append(values, strings.Repeat("ü", 40_000))
	return allEchoed("echoString", c.kitchen.EchoString, values...)
}

func (c *consumer) numbers() error {
	doubles := []float64{0, -1, 1, 127, 32_767, 1.5, math.Pi, math.SmallestNonzeroFloat64, math.MaxFloat64,
		math.Inf(1), math.Inf(-1)}
	return first(
		allEchoed("echoInt", c.kitchen.EchoInt, 0, -1, 1, 47, 2047, 262_143, math.MinInt32, math.MaxInt32),
		allEchoed("echoLong", c.kitchen.EchoLong, 0, -1, 15, 2047, 262_143, 1<<31, math.MinInt64, math.MaxInt64),
		allEchoed("echoDouble", c.kitchen.EchoDouble, doubles...),
		allEchoed("echoBool", c.kitchen.EchoBool, true, false),
		c.notANumber(),
	)
}

func (c *consumer) notANumber() error {
	got, err := c.kitchen.EchoDouble(ctx(), math.NaN())
	if err == nil && !math.IsNaN(got) {
		err = fmt.Errorf("echoDouble of NaN: got %v", got)
	}
	return err
}

func user(name string, friend *User) *User {
	color := Green
	return &User{Name: &name, Age: int32(len(name)), Tags: []string{"a", "ü", ""},
		Scores: map[string]int32{"chess": 7, "go": -1}, Color: &color, Friend: friend}
}

func (c *consumer) pojo() error {
	return allEchoed("echoUser", c.kitchen.EchoUser, user("Ada", user("Grace", user("Edsger", nil))), &User{})
}

func (c *consumer) list() error {
	shared := user("Ada", nil)
	users := []*User{shared, user("Grace", shared), shared}
	for more := range 20 {
		users = append(users, user(fmt.Sprint("n", more), nil))
	}
	return allEchoed("echoUsers", c.echoUsers, users, []*User{})
}

// echoUsers reads the answer as it comes: dubbo-go does not convert the elements, and drops the connection over it.
func (c *consumer) echoUsers(ctx context.Context, users []*User) ([]*User, error) {
	answer, err := c.kitchen.EchoUsers(ctx, users)
	if err != nil {
		return nil, err
	}
	return userList(answer)
}

func (c *consumer) maps() error {
	users := map[string]*User{"ada": user("Ada", nil), "größe": user("Grace", user("Edsger", nil))}
	return allEchoed("echoMap", c.echoMap, users, map[string]*User{})
}

// echoMap reads the answer as it comes, for the same reason.
func (c *consumer) echoMap(ctx context.Context, users map[string]*User) (map[string]*User, error) {
	answer, err := c.kitchen.EchoMap(ctx, users)
	if err != nil {
		return nil, err
	}
	return usersByName(answer)
}

func (c *consumer) enums() error {
	return allEchoed("echoColor", c.kitchen.EchoColor, Red, Green, Blue)
}

// pattern makes bytes that differ from their neighbours.
func pattern(length int) []byte {
	value := make([]byte, length)
	for at := range value {
		value[at] = byte(at * 31)
	}
	return value
}

func (c *consumer) bytes() error {
	for _, length := range []int{0, 1, 15, 16, 1023, 1024, 20_000} {
		if err := c.echoBytes(pattern(length)); err != nil {
			return err
		}
	}
	return nil
}

// echoBytes compares the bytes alone: dubbo-go does not tell none from null.
func (c *consumer) echoBytes(value []byte) error {
	got, err := c.kitchen.EchoBytes(ctx(), value)
	if err == nil && !bytes.Equal(got, value) {
		err = fmt.Errorf("got %d other bytes", len(got))
	}
	if err != nil {
		return fmt.Errorf("echoBytes of %d: %w", len(value), err)
	}
	return nil
}

func (c *consumer) dates() error {
	for _, millis := range []int64{0, 60_000, 1_700_000_000_123, -1, 4_102_444_800_000} {
		got, err := c.kitchen.EchoDate(ctx(), time.UnixMilli(millis))
		if err == nil && got.UnixMilli() != millis {
			err = fmt.Errorf("got %d", got.UnixMilli())
		}
		if err != nil {
			return fmt.Errorf("echoDate of %d: %w", millis, err)
		}
	}
	return nil
}

func (c *consumer) null() error {
	got, err := c.kitchen.NullString(ctx())
	if err == nil && got != nil {
		err = fmt.Errorf("nullString: got %s", brief(got))
	}
	return err
}

func (c *consumer) void() error {
	got, err := c.kitchen.Nothing(ctx())
	if err == nil && got != nil {
		err = fmt.Errorf("nothing: got %s", brief(got))
	}
	return err
}

func (c *consumer) large() error {
	text := strings.Repeat("0123456789abcdef", 1<<16)
	return first(echoed("1 MiB string", text, c.kitchen.EchoString), c.echoBytes(pattern(1<<20)))
}
