"""Records one loopback TCP proxy's traffic: python3 record.py LISTEN_PORT TARGET_PORT OUT

Every read is one line of OUT: the connection's number, `>` (to the server) or `<`, and the bytes as hex.
"""
import asyncio
import sys


async def main(listen, target, path):
    out, count = open(path, "w", buffering=1), 0

    async def pump(reader, writer, number, sign):
        while data := await reader.read(1 << 16):
            out.write(f"{number} {sign} {data.hex()}\n")
            writer.write(data)
            await writer.drain()
        writer.close()

    async def accept(reader, writer):
        nonlocal count
        count += 1
        number = count
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", target)
        await asyncio.gather(
            pump(reader, up_writer, number, ">"), pump(up_reader, writer, number, "<"), return_exceptions=True
        )

    server = await asyncio.start_server(accept, "127.0.0.1", listen)
    await server.serve_forever()


asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
