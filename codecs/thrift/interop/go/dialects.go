// Command kitchen is both the server and the client of the interop runs on Apache Thrift for Go.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/apache/thrift/lib/go/thrift"
)

// dialect is what the command line says of transport and protocol.
type dialect struct {
	transport, protocol string
	multiplexed         bool
}

func (d *dialect) define(words *flag.FlagSet) {
	words.StringVar(&d.transport, "transport", "framed", "framed, buffered, header, header-zlib, ttheader or ttheader-framed")
	words.StringVar(&d.protocol, "protocol", "binary", "binary, oldbinary or compact")
	words.BoolVar(&d.multiplexed, "multiplexed", false, "names of services in front of those of methods")
}

func (d *dialect) ttheader() bool { return strings.HasPrefix(d.transport, "ttheader") }

func (d *dialect) header() bool { return strings.HasPrefix(d.transport, "header") }

func (d *dialect) configuration() *thrift.TConfiguration {
	strict := d.protocol == "binary"
	inner := thrift.THeaderProtocolBinary
	if d.protocol == "compact" {
		inner = thrift.THeaderProtocolCompact
	}
	configuration := &thrift.TConfiguration{
		ConnectTimeout:     5 * time.Second,
		SocketTimeout:      20 * time.Second,
		TBinaryStrictRead:  &strict,
		TBinaryStrictWrite: &strict,
		THeaderProtocolID:  &inner,
	}
	if d.transport == "header-zlib" {
		configuration.THeaderTransforms = []thrift.THeaderTransformID{thrift.TransformZlib}
	}
	return configuration
}

func (d *dialect) protocols() thrift.TProtocolFactory {
	switch {
	case d.header() && d.protocol != "oldbinary":
		return thrift.NewTHeaderProtocolFactoryConf(d.configuration())
	case d.header():
		fmt.Println("skipped all: no old binary protocol inside of THeader")
		os.Exit(2)
	case d.ttheader() && d.protocol != "binary":
		fmt.Println("skipped all: only the strict binary protocol inside of TTHeader")
		os.Exit(2)
	case d.protocol == "compact":
		return thrift.NewTCompactProtocolFactoryConf(d.configuration())
	}
	return thrift.NewTBinaryProtocolFactoryConf(d.configuration())
}

func (d *dialect) transports() thrift.TTransportFactory {
	switch d.transport {
	case "framed":
		return thrift.NewTFramedTransportFactoryConf(thrift.NewTTransportFactory(), d.configuration())
	case "ttheader", "ttheader-framed":
		return d
	case "buffered":
		return thrift.NewTBufferedTransportFactory(8192)
	}
	return thrift.NewTTransportFactory()
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "kitchen server|client")
		os.Exit(2)
	}
	switch os.Args[1] {
	case "server":
		serve(os.Args[2:])
	case "client":
		call(os.Args[2:])
	}
}
