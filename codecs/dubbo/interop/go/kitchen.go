package main

import (
	"fmt"
	"os"

	getty "github.com/apache/dubbo-getty"
	hessian "github.com/apache/dubbo-go-hessian2"
	"github.com/apache/dubbo-go-hessian2/java_exception"
	"github.com/dubbogo/gost/log/logger"

	// What dubbo-go finds by name at run time.
	_ "dubbo.apache.org/dubbo-go/v3/cluster/cluster/failover"
	_ "dubbo.apache.org/dubbo-go/v3/cluster/loadbalance/random"
	_ "dubbo.apache.org/dubbo-go/v3/filter/accesslog"
	_ "dubbo.apache.org/dubbo-go/v3/filter/echo"
	_ "dubbo.apache.org/dubbo-go/v3/filter/exec_limit"
	_ "dubbo.apache.org/dubbo-go/v3/filter/generic"
	_ "dubbo.apache.org/dubbo-go/v3/filter/graceful_shutdown"
	_ "dubbo.apache.org/dubbo-go/v3/filter/token"
	_ "dubbo.apache.org/dubbo-go/v3/filter/tps"
	_ "dubbo.apache.org/dubbo-go/v3/protocol/dubbo"
	_ "dubbo.apache.org/dubbo-go/v3/protocol/protocolwrapper"
	_ "dubbo.apache.org/dubbo-go/v3/proxy/proxy_factory"
	_ "dubbo.apache.org/dubbo-go/v3/registry/protocol"
)

// The names that the Java programs use, too.
const (
	kitchenInterface = "org.metaproto.interop.Kitchen"
	cellarInterface  = "org.metaproto.interop.Cellar" // that nobody serves
	serviceVersion   = "1.0.0"
	serviceGroup     = "blue"
	largestMessage   = 64 << 20 // bytes; dubbo-go refuses more than 1,024,000 unless told
)

// User is a class with a field of every kind: text, number, list, map, enum, and one of its own class. Pointers are what
// can be null.
type User struct {
	Name   *string
	Age    int32
	Tags   []string
	Scores map[string]int32
	Color  *Color
	Friend *User
}

// JavaClassName is the name of the class on the wire.
func (User) JavaClassName() string { return "org.metaproto.interop.User" }

// Color is an enum; dubbo-go sends the name and keeps the number.
type Color hessian.JavaEnum

// The colors in the order of the Java enum.
const (
	Red Color = iota
	Green
	Blue
)

var colorNames = [...]string{"RED", "GREEN", "BLUE"}

// JavaClassName is the name of the enum on the wire.
func (Color) JavaClassName() string { return "org.metaproto.interop.Color" }

// String is the name of the value on the wire.
func (c Color) String() string {
	if c < 0 || int(c) >= len(colorNames) {
		return fmt.Sprintf("Color(%d)", int32(c))
	}
	return colorNames[c]
}

// EnumValue is the number of a name.
func (Color) EnumValue(name string) hessian.JavaEnum {
	for number, each := range colorNames {
		if each == name {
			return hessian.JavaEnum(number)
		}
	}
	return hessian.InvalidJavaEnum
}

// KitchenException is the exception that the interface declares; the fields are those of every java.lang.Throwable.
type KitchenException struct {
	SerialVersionUID     int64
	DetailMessage        string
	SuppressedExceptions []java_exception.Throwabler
	StackTrace           []java_exception.StackTraceElement
	Cause                java_exception.Throwabler
}

// Error is the message that the exception was made with.
func (e KitchenException) Error() string { return e.DetailMessage }

// JavaClassName is the name of the class on the wire.
func (KitchenException) JavaClassName() string { return "org.metaproto.interop.KitchenException" }

// GetStackTrace is what dubbo-go asks of an exception. Go has none to tell.
func (e KitchenException) GetStackTrace() []java_exception.StackTraceElement { return e.StackTrace }

// userList gives a list that dubbo-go has read the type that it was written with: it has it already when the sender named
// the type, as dubbo-go does and Java does not.
func userList(read any) ([]*User, error) {
	if users, ok := read.([]*User); ok {
		return users, nil
	}
	values, ok := read.([]any)
	users := []*User{}
	for _, value := range values {
		one, isUser := value.(*User)
		users = append(users, one)
		ok = ok && isUser
	}
	if !ok {
		return nil, fmt.Errorf("not a list of users, but %T", read)
	}
	return users, nil
}

// usersByName gives a map that dubbo-go has read the types that it was written with.
func usersByName(read any) (map[string]*User, error) {
	users := map[string]*User{}
	entries, ok := read.(map[any]any)
	for key, value := range entries {
		name, isName := key.(string)
		one, isUser := value.(*User)
		users[name] = one
		ok = ok && isName && isUser
	}
	if !ok {
		return nil, fmt.Errorf("not a map of users, but %T", read)
	}
	return users, nil
}

func init() {
	hessian.RegisterPOJO(&User{})
	hessian.RegisterPOJO(&KitchenException{})
	for color := range colorNames {
		hessian.RegisterJavaEnum(Color(color))
	}
	os.Stdout = os.Stderr
	quiet()
}

// out is standard output, for what scripts read; dubbo-go's own log is written to what it takes for standard output.
var out = os.Stdout

// quiet leaves dubbo-go's log out, unless it is asked for. Needed again after dubbo-go has made its own logger anew.
func quiet() {
	logger.SetLogger(errorLog{})
	getty.SetLogger(errorLog{})
}

type errorLog struct{}

var logged = os.Getenv("KITCHEN_LOG") != ""

func say(level string, args ...any) {
	if logged {
		fmt.Fprintln(os.Stderr, append([]any{level}, args...)...)
	}
}

func (errorLog) Debug(...any)                   {}
func (errorLog) Debugf(string, ...any)          {}
func (errorLog) Info(args ...any)               { say("info", args...) }
func (errorLog) Infof(form string, args ...any) { say("info", fmt.Sprintf(form, args...)) }
func (errorLog) Warn(args ...any)               { say("warn", args...) }
func (errorLog) Warnf(form string, args ...any) { say("warn", fmt.Sprintf(form, args...)) }
func (errorLog) Error(args ...any)              { say("error", args...) }
func (errorLog) Errorf(form string, args ...any) {
	say("error", fmt.Sprintf(form, args...))
}
func (errorLog) Fatal(args ...any) {
	fmt.Fprintln(os.Stderr, args...)
	os.Exit(1)
}
func (l errorLog) Fatalf(form string, args ...any) { l.Fatal(fmt.Sprintf(form, args...)) }
