// Command torchwood checks a .tlog-proof with filippo.io/torchwood, and prints the checkpoint in it.
//
//	torchwood POLICY PROOF LEAF
//
// All three are files: a tlog-policy with one log and a quorum of witnesses, the proof, and the leaf's bytes.
package main

import (
	"fmt"
	"log"
	"os"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 4 {
		log.Fatal("usage: torchwood POLICY PROOF LEAF")
	}
	policy, err := torchwood.ParsePolicy(read(os.Args[1]))
	if err != nil {
		log.Fatal(err)
	}
	proof, leaf := read(os.Args[2]), read(os.Args[3])
	if err := torchwood.VerifyProof(policy, tlog.RecordHash(leaf), proof); err != nil {
		log.Fatal(err)
	}
	fmt.Println("OK")
}

func read(path string) []byte {
	bytes, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	return bytes
}
