// Dials an address many times, some at once, and says what came of it: one line of errors each, and the sum. All
// connections stay open until then: each has a port, whatever the other side does.
//
//	dial ADDRESS TIMES AT-ONCE [SOURCE]
package main

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
)

func main() {
	times, _ := strconv.Atoi(os.Args[2])
	atOnce, _ := strconv.Atoi(os.Args[3])
	var dialer net.Dialer
	if len(os.Args) > 4 {
		dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(os.Args[4])}
	}
	slots := make(chan struct{}, atOnce)
	var wait sync.WaitGroup
	var lock sync.Mutex
	var open []net.Conn
	ok, errors := 0, map[string]int{}
	for i := 0; i < times; i++ {
		slots <- struct{}{}
		wait.Add(1)
		go func() {
			defer func() { <-slots; wait.Done() }()
			connection, err := dialer.Dial("tcp", os.Args[1])
			lock.Lock()
			defer lock.Unlock()
			if err != nil {
				errors[err.(*net.OpError).Err.Error()]++
				return
			}
			ok++
			open = append(open, connection)
		}()
	}
	wait.Wait()
	for text, count := range errors {
		fmt.Println(count, text)
	}
	fmt.Println("ok", ok)
	for _, connection := range open {
		connection.Close()
	}
}
