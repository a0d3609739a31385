// Command formats checks a checkpoint with github.com/transparency-dev/formats.
//
//	formats ORIGIN CHECKPOINT LOG-VKEY [WITNESS-VKEY...]
//
// It prints size, root, how many signatures verified, and how many are by strangers.
package main

import (
	"fmt"
	"log"
	"os"

	checkpoint "github.com/transparency-dev/formats/log"
	formats "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) < 4 {
		log.Fatal("usage: formats ORIGIN CHECKPOINT LOG-VKEY [WITNESS-VKEY...]")
	}
	bytes, err := os.ReadFile(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	var verifiers []note.Verifier
	for _, vkey := range os.Args[3:] {
		verifier, err := formats.NewVerifier(vkey)
		if err != nil {
			log.Fatal(err)
		}
		verifiers = append(verifiers, verifier)
	}
	parsed, _, opened, err := checkpoint.ParseCheckpoint(bytes, os.Args[1], verifiers[0], verifiers[1:]...)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("OK: size %d, root %x, verified %d, unverified %d\n",
		parsed.Size, parsed.Hash, len(opened.Sigs), len(opened.UnverifiedSigs))
}
