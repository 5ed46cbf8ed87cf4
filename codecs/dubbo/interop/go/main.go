// Command kitchen is Apache dubbo-go as provider and consumer of the service that all interop programs share.
package main

import (
	"fmt"
	"os"
)

const usage = `kitchen provider --port PORT --tag TAG [--heartbeat 1s]
kitchen consumer --url 127.0.0.1:PORT[,..] --cases a,b|all [--heartbeat 1s] [--idle 3s]
kitchen record --listen 127.0.0.1:PORT --to 127.0.0.1:PORT --file FILE [--head key=value ..] [--limit BYTES] [--most BYTES]`

func main() {
	commands := map[string]func([]string) error{"provider": provide, "consumer": consume, "record": record}
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(2)
	}
	if err := commands[os.Args[1]](os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "kitchen:", err)
		os.Exit(1)
	}
}
