# SPDX-License-Identifier: BSD-2-Clause
# aio.py serve|talk ADDRESS - streams and datagrams by asyncio
import asyncio
import os
import sys

PORT = 7000


class Echo(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, peer):
        self.transport.sendto(data, peer)


class Count(asyncio.DatagramProtocol):
    def __init__(self, number):
        self.left, self.all = number, asyncio.get_running_loop().create_future()

    def datagram_received(self, data, peer):
        self.left -= 1
        if not self.left:
            self.all.set_result(True)


async def echo(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


async def serve(address):
    await asyncio.get_running_loop().create_datagram_endpoint(Echo, local_addr=(address, PORT))
    server = await asyncio.start_server(echo, address, PORT)
    await server.serve_forever()


async def stream(address, data):
    reader, writer = await asyncio.open_connection(address, PORT)

    async def send():
        writer.write(data)
        await writer.drain()
        writer.write_eof()

    task = asyncio.create_task(send())
    got = await reader.read(-1)
    await task
    writer.close()
    return got == data


async def datagrams(address):
    transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(lambda: Count(20), remote_addr=(address, PORT))
    for i in range(20):
        transport.sendto(b"%d" % i)
    return await asyncio.wait_for(protocol.all, 5)


async def talk(address):
    good = await asyncio.gather(datagrams(address), *(stream(address, os.urandom(300000)) for i in range(20)))
    print("asyncio ok" if all(good) else good)


asyncio.run({"serve": serve, "talk": talk}[sys.argv[1]](sys.argv[2]))
