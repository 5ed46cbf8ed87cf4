package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/bytedance/gopkg/cloud/metainfo"
	"github.com/cloudwego/gopkg/protocol/ttheader"
	"github.com/cloudwego/kitex/client"
	"github.com/cloudwego/kitex/client/callopt"
	"github.com/cloudwego/kitex/pkg/remote"

	"metaproto/interop/kitex/kitex_gen/kitchen"
)

var order = []string{
	"base-types", "strings", "structs", "unions", "lists", "sets", "maps", "declared-exception", "undeclared-exception",
	"unknown-method", "void", "oneway", "large", "pipelined", "concurrent", "multiplexed", "headers",
}

var cases = map[string]func(context.Context, *connection) error{
	"base-types": baseTypes, "strings": texts, "structs": structs, "unions": unions, "lists": lists, "sets": sets,
	"maps": mappings, "declared-exception": declaredException, "undeclared-exception": undeclaredException,
	"unknown-method": unknownMethod, "void": void, "oneway": oneway, "large": large, "pipelined": pipelined,
	"concurrent": concurrent, "multiplexed": multiplexed, "headers": infoHeaders,
}

func pointer[T any](value T) *T { return &value }

// echoed is a method of a stub that gives back what it is given.
type echoed[T any] func(context.Context, T, ...callopt.Option) (T, error)

// same fails unless echo gives back every value; compared as Go compares deeply, an empty list like a missing one.
func same[T any](ctx context.Context, echo echoed[T], values ...T) error {
	for _, value := range values {
		seen, err := echo(ctx, value)
		if err != nil {
			return err
		}
		empty := reflect.ValueOf(value)
		container := empty.Kind() == reflect.Slice || empty.Kind() == reflect.Map
		if container && empty.Len() == 0 && reflect.ValueOf(seen).Len() == 0 {
			continue
		}
		if !reflect.DeepEqual(seen, value) {
			return fmt.Errorf("%.200s instead of %.200s", fmt.Sprintf("%+v", seen), fmt.Sprintf("%+v", value))
		}
	}
	return nil
}

func baseTypes(ctx context.Context, c *connection) error {
	k := c.kitchen
	bits := func(ctx context.Context, value uint64, _ ...callopt.Option) (uint64, error) {
		seen, err := k.EchoDouble(ctx, math.Float64frombits(value))
		return math.Float64bits(seen), err
	}
	var doubles []uint64
	for _, value := range []float64{0, 1.5, 5e-324, math.MaxFloat64, math.Inf(1), math.Inf(-1)} {
		doubles = append(doubles, math.Float64bits(value))
	}
	octets := make([]byte, 256)
	for i := range octets {
		octets[i] = byte(i)
	}
	nan, err := k.EchoDouble(ctx, math.NaN())
	if err == nil && !math.IsNaN(nan) {
		err = fmt.Errorf("%v instead of NaN", nan)
	}
	return errors.Join(
		err,
		same(ctx, k.EchoBool, true, false),
		same(ctx, k.EchoByte, 0, 1, -1, math.MaxInt8, math.MinInt8),
		same(ctx, k.EchoShort, 0, 1, -1, math.MaxInt16, math.MinInt16),
		same(ctx, k.EchoInt, 0, 1, -1, math.MaxInt32, math.MinInt32),
		same(ctx, k.EchoLong, 0, 1, -1, math.MaxInt64, math.MinInt64),
		same(ctx, bits, doubles...),
		same(ctx, k.EchoBinary, octets),
	)
}

func texts(ctx context.Context, c *connection) error {
	return same(ctx, c.kitchen.EchoString, "", "a", "Käse über Öl", "🍲 soup 🥖", strings.Repeat("x", 40000))
}

func structs(ctx context.Context, c *connection) error {
	full := &kitchen.Dish{
		Name: "Gulasch 🍲",
		Main: &kitchen.Spice{Name: "paprika", Grams: pointer[int32](20), Hot: pointer(true)},
		Spices: []*kitchen.Spice{
			{Name: "salt", Grams: pointer[int32](5), Hot: pointer(false)}, {Name: "chili", Hot: pointer(true)}, {Name: ""},
		},
		Price: pointer(12.5), Stock: map[string]int64{"pot": 1, "plate": -(1 << 40)}, Picture: []byte{0, 255, 128}, Vegan: true,
		Taste: pointer(kitchen.Taste_BITTER), Shelf: pointer[int16](-7), Remark: pointer("far off"),
	}
	plain := &kitchen.Dish{Name: "plain", Spices: []*kitchen.Spice{}, Stock: map[string]int64{}}
	return same(ctx, c.kitchen.EchoDish, full, plain)
}

func unions(ctx context.Context, c *connection) error {
	return same(ctx, c.kitchen.EchoFilling,
		&kitchen.Filling{Number: pointer[int64](math.MinInt64)},
		&kitchen.Filling{Text: pointer("jam")},
		&kitchen.Filling{Spice: &kitchen.Spice{Name: "salt", Grams: pointer[int32](1)}},
		&kitchen.Filling{Many: []int32{1, 2, 3}},
	)
}

func lists(ctx context.Context, c *connection) error {
	var mixed []bool
	for range 5 {
		mixed = append(mixed, true, false, false, true)
	}
	var spices []*kitchen.Spice
	for number := range int32(40) {
		spices = append(spices, &kitchen.Spice{Name: fmt.Sprintf("n%d", number), Grams: &number})
	}
	return errors.Join(
		same(ctx, c.kitchen.EchoBools, []bool{}, []bool{true}, mixed),
		same(ctx, c.kitchen.EchoSpices, []*kitchen.Spice{}, spices),
	)
}

func sets(ctx context.Context, c *connection) error {
	sorted := func(ctx context.Context, value []int32, _ ...callopt.Option) ([]int32, error) {
		seen, err := c.kitchen.EchoSet(ctx, value)
		sort.Slice(seen, func(i, j int) bool { return seen[i] < seen[j] })
		return seen, err
	}
	return same(ctx, sorted, []int32{}, []int32{math.MinInt32, -1, 0, math.MaxInt32})
}

func mappings(ctx context.Context, c *connection) error {
	salt := &kitchen.Spice{Name: "salt", Grams: pointer[int32](1), Hot: pointer(true)}
	return errors.Join(
		same(ctx, c.kitchen.EchoMap, map[string][]int32{}, map[string][]int32{"": {}, "primes": {2, 3, 5, 7}, "köln": {-1}}),
		same(ctx, c.kitchen.EchoNested, map[int32]map[string]*kitchen.Spice{},
			map[int32]map[string]*kitchen.Spice{1: {"a": salt}, -2: {}}),
	)
}

func declaredException(ctx context.Context, c *connection) error {
	if _, err := c.kitchen.Bake(ctx, 180); err != nil {
		return err
	}
	_, err := c.kitchen.Bake(ctx, 999)
	var burnt *kitchen.Burnt
	if !errors.As(err, &burnt) || burnt.Reason != "too hot" || burnt.Degrees != 999 {
		return fmt.Errorf("not burnt: %w", err)
	}
	_, err = c.kitchen.Bake(ctx, 10)
	return err
}

func applicationException(err error, kinds ...int32) error {
	var answer *remote.TransError
	if !errors.As(err, &answer) {
		return fmt.Errorf("no application exception: %w", err)
	}
	for _, kind := range kinds {
		if answer.TypeID() == kind {
			return nil
		}
	}
	return fmt.Errorf("type %d, message %q", answer.TypeID(), answer.Error())
}

func undeclaredException(ctx context.Context, c *connection) error {
	err := applicationException(c.kitchen.Fail(ctx, "oven"), remote.InternalError, remote.UnknownApplicationException)
	return errors.Join(err, same(ctx, c.kitchen.EchoInt, 3))
}

func unknownMethod(ctx context.Context, c *connection) error {
	_, err := c.tomorrow.NotYet(ctx, "x")
	return errors.Join(applicationException(err, remote.UnknownMethod, remote.UnknownApplicationException, remote.UnknownService), same(ctx, c.kitchen.EchoInt, 4))
}

func void(ctx context.Context, c *connection) error {
	return errors.Join(c.kitchen.Nothing(ctx), c.kitchen.Sleep(ctx, 1))
}

func oneway(ctx context.Context, c *connection) error {
	key := fmt.Sprintf("kitex-%d", time.Now().UnixNano())
	for range 3 {
		if err := c.kitchen.Note(ctx, key); err != nil {
			return err
		}
	}
	if err := same(ctx, c.kitchen.EchoString, "after"); err != nil {
		return err
	}
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		noted, err := c.kitchen.Noted(ctx, key)
		if err != nil || noted == 3 {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("noted %d times", noted)
		}
	}
}

func large(ctx context.Context, c *connection) error {
	return errors.Join(
		same(ctx, c.kitchen.EchoString, strings.Repeat("0123456789abcdeö", 61681)),
		same(ctx, c.kitchen.EchoBinary, bytes.Repeat([]byte{0, 1, 127, 128, 255, 82, 130, 33}, 131072)),
	)
}

// pipelined sends many calls on one connection before the first is answered, which Kitex does with TTHeader only.
func pipelined(ctx context.Context, c *connection) error {
	if !c.dialect.ttheader() {
		return fmt.Errorf("%w: a connection of Kitex has one call at a time on this transport", errSkipped)
	}
	mine, err := c.dialect.connect(c.address, client.WithMuxConnection(1))
	if err != nil {
		return err
	}
	defer mine.close()
	problems := make([]error, 200)
	var all sync.WaitGroup
	for number := range problems {
		all.Go(func() { problems[number] = same(ctx, mine.kitchen.EchoString, fmt.Sprintf("n%d", number)) })
	}
	all.Wait()
	return errors.Join(problems...)
}

func concurrent(_ context.Context, c *connection) error {
	problems := make([]error, 50)
	var all sync.WaitGroup
	for number := range problems {
		all.Add(1)
		go func() {
			defer all.Done()
			problems[number] = run(c.dialect, c.address, func(ctx context.Context, mine *connection) error {
				for turn := range 20 {
					if err := same(ctx, mine.kitchen.EchoString, fmt.Sprintf("%d/%d", number, turn)); err != nil {
						return err
					}
				}
				return nil
			})
		}()
	}
	all.Wait()
	return errors.Join(problems...)
}

func multiplexed(context.Context, *connection) error {
	return fmt.Errorf("%w: Kitex puts no name of a service in front of that of a method", errSkipped)
}

func infoHeaders(ctx context.Context, c *connection) error {
	if !c.dialect.ttheader() {
		return fmt.Errorf("%w: no headers on this transport", errSkipped)
	}
	if seen, err := c.kitchen.Header(ctx, "absent"); err != nil || seen != "" {
		return fmt.Errorf("absent is %q: %w", seen, err)
	}
	c.headers.set(map[string]string{"tenant": "blaü", "empty": "", ttheader.GDPRToken: "a token"})
	ctx = metainfo.WithPersistentValue(ctx, "table", "seven")
	for name, wanted := range map[string]string{
		"tenant": "blaü", ttheader.GDPRToken: "a token", metainfo.PrefixPersistent + "table": "seven",
	} {
		seen, err := c.kitchen.Header(ctx, name)
		if err != nil || seen != wanted {
			return fmt.Errorf("%s is %q: %w", name, seen, err)
		}
	}
	if _, there := c.headers.ofAnswer("answered-by"); !there {
		return errors.New("the answer has no header answered-by")
	}
	return nil
}
