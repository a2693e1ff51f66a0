// SPDX-License-Identifier: BSD-2-Clause
// node.js serve|talk ADDRESS - http, net and dgram
const dgram = require('dgram'), http = require('http'), net = require('net');
const [role, address] = process.argv.slice(2);

function serve() {
	const udp = dgram.createSocket('udp4').bind(7001, address);
	udp.on('message', (data, from) => udp.send(data, from.port, from.address));
	net.createServer({ allowHalfOpen: true }, s => s.pipe(s)).listen(7001, address);
	http.createServer((q, r) => r.end('x'.repeat(500000))).listen(7000, address);
}

const page = () => new Promise((well, ill) => http.get({ port: 7000, host: address }, r => {
	let n = 0;
	r.on('data', d => n += d.length);
	r.on('end', () => well(n === 500000));
}).on('error', ill));

const echo = () => new Promise((well, ill) => {
	const data = Buffer.alloc(300000, 'abc'), got = [];
	const s = net.connect(7001, address, () => s.end(data));
	s.on('data', d => got.push(d)).on('end', () => well(Buffer.concat(got).equals(data))).on('error', ill);
});

const datagrams = () => new Promise(well => {
	const s = dgram.createSocket('udp4');
	let left = 20;
	s.on('message', () => --left || (s.close(), well(true)));
	for (let i = 0; i < 20; i++)
		s.send(`datagram ${i}`, 7001, address);
});

if (role === 'serve')
	serve();
else
	Promise.all([page(), echo(), datagrams()]).then(all => console.log(all.every(x => x) ? 'node ok' : all), e => console.log(e));
