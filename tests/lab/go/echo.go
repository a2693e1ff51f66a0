// SPDX-License-Identifier: BSD-2-Clause
// echo.go - a static Go program: TCP and UDP echo server ("serve"), and a client with 50 goroutines
package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve() {
	pc, err := net.ListenPacket("udp4", ":7002")
	check(err)
	go func() {
		buf := make([]byte, 65536)
		for {
			n, from, err := pc.ReadFrom(buf)
			check(err)
			pc.WriteTo(buf[:n], from)
		}
	}()
	l, err := net.Listen("tcp4", ":7001")
	check(err)
	for {
		c, err := l.Accept()
		check(err)
		go func() {
			io.Copy(c, c)
			c.Close()
		}()
	}
}

func one(host string, i int) {
	c, err := net.DialTimeout("tcp4", host+":7001", 10*time.Second)
	check(err)
	data := bytes.Repeat([]byte{byte(i)}, 100000+i)
	go func() {
		c.Write(data)
		c.(*net.TCPConn).CloseWrite()
	}()
	got, err := io.ReadAll(c)
	check(err)
	if !bytes.Equal(got, data) {
		check(fmt.Errorf("connection %d: got %d octets, sent %d", i, len(got), len(data)))
	}
	c.Close()
}

func main() {
	if os.Args[1] == "serve" {
		serve()
	}
	var wg sync.WaitGroup
	for i := 0; i < 50; i++ {
		wg.Add(1)
		go func(i int) { defer wg.Done(); one(os.Args[1], i) }(i)
	}
	wg.Wait()
	u, err := net.Dial("udp4", os.Args[1]+":7002")
	check(err)
	u.SetDeadline(time.Now().Add(5 * time.Second))
	u.Write([]byte("datagram"))
	buf := make([]byte, 100)
	n, err := u.Read(buf)
	check(err)
	if string(buf[:n]) != "datagram" {
		check(fmt.Errorf("got %q", buf[:n]))
	}
	fmt.Println("50 connections and a datagram went through")
}
