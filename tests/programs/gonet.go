// SPDX-License-Identifier: BSD-2-Clause

// gonet - an HTTP server, a UDP echo and clients of both in one static Go program: no C library is involved
package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

func fail(what string, err error) {
	fmt.Fprintln(os.Stderr, "gonet:", what, err)
	os.Exit(1)
}

func serveUDP(pc net.PacketConn) {
	buf := make([]byte, 2048)
	for {
		n, from, err := pc.ReadFrom(buf)
		if err != nil {
			return
		}
		pc.WriteTo(buf[:n], from)
	}
}

func getMany(url string, want []byte) {
	var wg sync.WaitGroup
	for c := 0; c < 20; c++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := 0; i < 10; i++ {
				r, err := http.Get(url)
				if err != nil {
					fail("get:", err)
				}
				got, err := io.ReadAll(r.Body)
				r.Body.Close()
				if err != nil || !bytes.Equal(got, want) {
					fail("body differs", err)
				}
			}
		}()
	}
	wg.Wait()
}

func main() {
	body := bytes.Repeat([]byte("weir "), 50000)
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		fail("listen:", err)
	}
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write(body) }))
	getMany("http://"+l.Addr().String()+"/", body)

	pc, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		fail("listen udp:", err)
	}
	go serveUDP(pc)
	c, err := net.Dial("udp4", pc.LocalAddr().String())
	if err != nil {
		fail("dial udp:", err)
	}
	buf := make([]byte, 100)
	for i := 0; i < 100; i++ {
		fmt.Fprintf(c, "datagram %d", i)
		c.SetReadDeadline(time.Now().Add(2 * time.Second))
		n, err := c.Read(buf)
		if err != nil || string(buf[:n]) != fmt.Sprintf("datagram %d", i) {
			fail("echo:", err)
		}
	}
	_, err = net.DialTimeout("tcp4", "127.0.0.1:1", time.Second)
	if err == nil {
		fail("a closed port answers", nil)
	}
	l2, _ := net.Listen("tcp4", "127.0.0.1:0")
	l2.(*net.TCPListener).SetDeadline(time.Now().Add(50 * time.Millisecond))
	if _, err = l2.Accept(); err == nil || !err.(net.Error).Timeout() {
		fail("accept does not time out:", err)
	}
	fmt.Println("gonet: ok")
}
