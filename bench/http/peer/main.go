// SPDX-License-Identifier: BSD-3-Clause

// The fan-out of `GET /requests/world20` as one would write it in Go: net/http, pgx, a goroutine and a connection of the pool
// for each lookup. peer CONNINFO : says where it listens, and answers any path.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/jackc/pgx/v4/pgxpool"
)

const lookups = 20

type world struct {
	ID           int `json:"id"`
	RandomNumber int `json:"randomnumber"`
}

func answer(pool *pgxpool.Pool, w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 30*time.Second)
	defer cancel()
	var rows [lookups]world
	var errs [lookups]error
	var all sync.WaitGroup
	all.Add(lookups)
	for i := 0; i < lookups; i++ {
		go func(i int) {
			defer all.Done()
			errs[i] = pool.QueryRow(ctx, "select id, randomnumber from world where id = $1", i*487%10000+1).
				Scan(&rows[i].ID, &rows[i].RandomNumber)
		}(i)
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			http.Error(w, "the database cannot be asked", http.StatusServiceUnavailable)
			return
		}
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]interface{}{"results": rows})
}

func main() {
	config, err := pgxpool.ParseConfig(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	config.MaxConns = 16
	pool, err := pgxpool.ConnectConfig(context.Background(), config)
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on http://%s\n", listener.Addr())
	log.Fatal(http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answer(pool, w, r) })))
}
