// Gets each URL, from inside a pod: probe URL... It fails if one doesn't answer 200 for twenty seconds.
package main

import (
	"fmt"
	"net/http"
	"os"
	"time"
)

func main() {
	client := http.Client{Timeout: 2 * time.Second}
	for _, url := range os.Args[1:] {
		deadline := time.Now().Add(20 * time.Second)
		for {
			said := get(client, url)
			if said == "200 OK" {
				fmt.Println(url, said)
				break
			}
			if time.Now().After(deadline) {
				fmt.Println(url, said)
				os.Exit(1)
			}
			time.Sleep(200 * time.Millisecond)
		}
	}
}

func get(client http.Client, url string) string {
	response, err := client.Get(url)
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	return response.Status
}
