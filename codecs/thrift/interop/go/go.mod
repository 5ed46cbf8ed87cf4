module metaproto/interop

go 1.24

require github.com/apache/thrift v0.25.0
