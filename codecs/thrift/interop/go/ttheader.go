package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/apache/thrift/lib/go/thrift"
	"github.com/cloudwego/gopkg/protocol/ttheader"
)

// ttheaderTransport puts each message into a TTHeader frame, whose header CloudWeGo's package writes and reads.
type ttheaderTransport struct {
	thrift.TTransport
	// framed has one more length in front of the message.
	framed   bool
	pending  bytes.Reader
	message  bytes.Buffer
	received ttheader.DecodeParam
	toSend   map[string]string
}

// ttheaderKey is the key of a request's *ttheaderTransport in its context.
type ttheaderKey struct{}

func (t *ttheaderTransport) Read(into []byte) (int, error) {
	if t.pending.Len() == 0 {
		if err := t.readFrame(); err != nil {
			return 0, err
		}
	}
	return t.pending.Read(into)
}

func (t *ttheaderTransport) readFrame() error {
	var length [4]byte
	if _, err := io.ReadFull(t.TTransport, length[:]); err != nil {
		return thrift.NewTTransportExceptionFromError(err)
	}
	size := binary.BigEndian.Uint32(length[:])
	if size < ttheader.TTHeaderMetaSize-4 || size > 1<<26 {
		return thrift.NewTTransportException(thrift.UNKNOWN_TRANSPORT_EXCEPTION, fmt.Sprintf("frame of %d bytes", size))
	}
	frame := make([]byte, 4+size)
	copy(frame, length[:])
	if _, err := io.ReadFull(t.TTransport, frame[4:]); err != nil {
		return thrift.NewTTransportExceptionFromError(err)
	}
	received, err := ttheader.DecodeFromBytes(context.Background(), frame)
	if err != nil {
		return thrift.NewTTransportExceptionFromError(err)
	}
	body := frame[received.HeaderLen:]
	if t.framed {
		if len(body) < 4 || int(binary.BigEndian.Uint32(body)) != len(body)-4 {
			return thrift.NewTTransportException(thrift.UNKNOWN_TRANSPORT_EXCEPTION, "no frame inside of TTHeader")
		}
		body = body[4:]
	}
	t.received = received
	t.pending.Reset(body)
	return nil
}

func (t *ttheaderTransport) Write(part []byte) (int, error)    { return t.message.Write(part) }
func (t *ttheaderTransport) WriteByte(one byte) error          { return t.message.WriteByte(one) }
func (t *ttheaderTransport) WriteString(s string) (int, error) { return t.message.WriteString(s) }
func (t *ttheaderTransport) RemainingBytes() uint64            { return ^uint64(0) }

func (t *ttheaderTransport) ReadByte() (byte, error) {
	var one [1]byte
	_, err := io.ReadFull(t, one[:])
	return one[0], err
}

func (t *ttheaderTransport) Flush(ctx context.Context) error {
	message := bytes.Clone(t.message.Bytes())
	t.message.Reset()
	// Strict binary: version and kind, length of the name, name, sequence id.
	if len(message) < 12 || len(message) < 12+int(binary.BigEndian.Uint32(message[4:])) {
		return errors.New("not a strict binary message")
	}
	name := message[8 : 8+binary.BigEndian.Uint32(message[4:])]
	param := ttheader.EncodeParam{
		SeqID:      int32(binary.BigEndian.Uint32(message[8+len(name):])),
		ProtocolID: ttheader.ProtocolIDThriftBinary,
		IntInfo:    map[uint16]string{ttheader.MsgType: strconv.Itoa(int(message[3]))},
		StrInfo:    t.toSend,
	}
	if message[3] == byte(thrift.CALL) || message[3] == byte(thrift.ONEWAY) {
		param.IntInfo[ttheader.FromService] = "interop"
		param.IntInfo[ttheader.ToService] = "kitchen"
		param.IntInfo[ttheader.ToMethod] = string(name)
	}
	frame, err := ttheader.EncodeToBytes(ctx, param)
	if err != nil {
		return err
	}
	if t.framed {
		frame = binary.BigEndian.AppendUint32(frame, uint32(len(message)))
	}
	frame = append(frame, message...)
	binary.BigEndian.PutUint32(frame, uint32(len(frame)-4))
	if _, err := t.TTransport.Write(frame); err != nil {
		return err
	}
	return t.TTransport.Flush(ctx)
}

// GetTransport makes the dialect a factory of its TTHeader transports.
func (d *dialect) GetTransport(inner thrift.TTransport) (thrift.TTransport, error) {
	return &ttheaderTransport{TTransport: inner, framed: d.transport == "ttheader-framed"}, nil
}

// serveTTHeader is a server of its own, as one transport of a connection must both read and write.
func (d *dialect) serveTTHeader(processor thrift.TProcessor, listener thrift.TServerTransport) error {
	for {
		client, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer client.Close()
			transport, _ := d.GetTransport(client)
			protocol := d.protocols().GetProtocol(transport)
			ctx := context.WithValue(context.Background(), ttheaderKey{}, transport)
			for {
				ok, err := processor.Process(ctx, protocol, protocol)
				var answered thrift.TApplicationException
				if errors.As(err, &answered) && answered.TypeId() == thrift.UNKNOWN_METHOD {
					continue
				}
				if err != nil && !ok || errors.As(err, new(thrift.TTransportException)) {
					return
				}
			}
		}()
	}
}
