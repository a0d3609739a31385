// Command sumdb checks a log with golang.org/x/mod/sumdb, the verifier of Go's checksum database.
//
//	sumdb LOG VKEY EVERY CHECKPOINT...
//
// LOG is a folder with tiles, CHECKPOINT a file with a signed checkpoint of it. Checked are every
// signature, consistency between every two sizes, that the leaves in the entry bundles are those in
// the tree, and inclusion of every EVERY-th leaf under the largest size.
package main

import (
	"encoding/binary"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// tiles reads hash tiles of the tlog-tiles layout for tlog.TileHashReader.
type tiles struct{ dir string }

func (t tiles) Height() int                     { return 8 }
func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}
func (t tiles) ReadTiles(want []tlog.Tile) ([][]byte, error) {
	var data [][]byte
	for _, tile := range want {
		// Here paths name the height, which tlog-tiles fixes and leaves out.
		path := "tile/" + strings.TrimPrefix(tile.Path(), "tile/8/")
		bytes, err := os.ReadFile(filepath.Join(t.dir, path))
		if err != nil {
			return nil, err
		}
		data = append(data, bytes)
	}
	return data, nil
}

func main() {
	log.SetFlags(0)
	if len(os.Args) < 5 {
		log.Fatal("usage: sumdb LOG VKEY EVERY CHECKPOINT...")
	}
	dir, every := os.Args[1], number(os.Args[3])
	verifier, err := note.NewVerifier(os.Args[2])
	check(err)

	var trees []tlog.Tree
	for _, path := range os.Args[4:] {
		trees = append(trees, open(path, verifier))
	}
	largest := trees[0]
	for _, tree := range trees {
		if tree.N > largest.N {
			largest = tree
		}
	}
	reader := tlog.TileHashReader(largest, tiles{dir})

	pairs := 0
	for _, older := range trees {
		for _, newer := range trees {
			if older.N >= newer.N {
				continue
			}
			pairs++
			if older.N == 0 {
				continue // nothing to prove
			}
			proof, err := tlog.ProveTree(newer.N, older.N, reader)
			check(err)
			check(tlog.CheckTree(proof, newer.N, newer.Hash, older.N, older.Hash))
		}
	}

	leaves := 0
	for index := int64(0); index < largest.N; index += every {
		proof, err := tlog.ProveRecord(largest.N, index, reader)
		check(err)
		hash := tlog.RecordHash(entry(dir, largest.N, index))
		check(tlog.CheckRecord(proof, largest.N, largest.Hash, index, hash))
		leaves++
	}
	fmt.Printf("OK: %d checkpoints, %d pairs, %d leaves, size %d, root %s\n",
		len(trees), pairs, leaves, largest.N, largest.Hash)
}

func open(path string, verifier note.Verifier) tlog.Tree {
	bytes, err := os.ReadFile(path)
	check(err)
	opened, err := note.Open(bytes, note.VerifierList(verifier))
	check(err)
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		log.Fatalf("%s: not a checkpoint of %s", path, verifier.Name())
	}
	hash, err := tlog.ParseHash(lines[2])
	check(err)
	return tlog.Tree{N: number(lines[1]), Hash: hash}
}

// entry reads one leaf from its bundle: each behind its length, two bytes, big-endian.
func entry(dir string, size, index int64) []byte {
	bundle := tlog.Tile{H: 8, L: 0, N: index / 256, W: int(min(256, size-index/256*256))}
	path := "tile/entries/" + strings.TrimPrefix(bundle.Path(), "tile/8/0/")
	data, err := os.ReadFile(filepath.Join(dir, path))
	check(err)
	for ; index%256 > 0; index-- {
		data = data[2+binary.BigEndian.Uint16(data):]
	}
	return data[2 : 2+binary.BigEndian.Uint16(data)]
}

func number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	check(err)
	return n
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
