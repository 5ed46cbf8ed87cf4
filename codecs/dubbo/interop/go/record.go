package main

import (
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// headerLength is that of a Dubbo frame in bytes: magic 0xdabb, flags, status, id (8, big endian), body length (4, big
// endian).
const headerLength = 16

// recording is the file of one connection.
type recording struct {
	mutex sync.Mutex
	file  *os.File
	limit int // body bytes above which a frame is left out
	room  int // hex digits left
}

type heads []string

func (h *heads) String() string { return strings.Join(*h, ", ") }

func (h *heads) Set(word string) error {
	if !strings.Contains(word, "=") {
		return errors.New("key=value")
	}
	*h = append(*h, word)
	return nil
}

func record(words []string) error {
	var head heads
	options := flag.NewFlagSet("record", flag.ExitOnError)
	listen := options.String("listen", "127.0.0.1:0", "where to listen")
	to := options.String("to", "", "where to connect to")
	name := options.String("file", "", "the first connection's file; the second is called FILE-2, and so on")
	limit := options.Int("limit", 3000, "frames with longer bodies are left out")
	most := options.Int("most", 1<<30, "hex digits of a file, after which frames are left out")
	options.Var(&head, "head", "key=value for the head of the file, may be given more than once")
	if err := options.Parse(words); err != nil {
		return err
	}
	if *to == "" || *name == "" {
		return errors.New("which --to and --file?")
	}
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "listening on", listener.Addr())
	for number := 1; ; number++ {
		client, err := listener.Accept()
		if err != nil {
			return err
		}
		path := *name
		if number > 1 {
			kind := filepath.Ext(path)
			path = fmt.Sprintf("%s-%d%s", strings.TrimSuffix(path, kind), number, kind)
		}
		server, err := net.Dial("tcp", *to)
		if err != nil {
			client.Close()
			return err
		}
		file, err := os.Create(path)
		if err != nil {
			return err
		}
		for _, line := range head {
			key, value, _ := strings.Cut(line, "=")
			fmt.Fprintf(file, "# %s: %s\n", key, value)
		}
		into := &recording{file: file, limit: *limit, room: *most}
		go into.relay(client, server, ">")
		go into.relay(server, client, "<")
	}
}

// relay passes whole frames on, each after it has been written down, until there are no more.
func (r *recording) relay(from, to net.Conn, mark string) {
	defer from.Close()
	defer to.Close()
	for {
		frame, err := nextFrame(from)
		if err != nil {
			return
		}
		r.add(mark, frame)
		if _, err := to.Write(frame); err != nil {
			return
		}
	}
}

func nextFrame(from io.Reader) ([]byte, error) {
	header := make([]byte, headerLength)
	if _, err := io.ReadFull(from, header); err != nil {
		return nil, err
	}
	if header[0] != 0xda || header[1] != 0xbb {
		return nil, fmt.Errorf("not Dubbo: %x", header)
	}
	length := int(binary.BigEndian.Uint32(header[12:]))
	if length > largestMessage {
		return nil, fmt.Errorf("too large: %d bytes", length)
	}
	frame := append(header, make([]byte, length)...)
	_, err := io.ReadFull(from, frame[headerLength:])
	return frame, err
}

func (r *recording) add(mark string, frame []byte) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	body := len(frame) - headerLength
	if body > r.limit || 2*len(frame) > r.room {
		fmt.Fprintf(r.file, "# left out: %s %x and %d bytes\n", mark, frame[:headerLength], body)
		return
	}
	r.room -= 2 * len(frame)
	fmt.Fprintf(r.file, "%s %x\n", mark, frame)
}
