// Command chatpictures draws what each chat tool is sent, for the pages of docs/guide. It reads the golden files of package notify, which
// are what is sent, and has a browser take the pictures. It is run by make pictures alone; nobody imports it and nothing ships it.
//
// The pictures are ours and not the tools': they show that every text is there and in which order, in about the look of the tool. What the
// program does not know it refuses to draw, so that a picture lacks nothing.
package main

import (
	"context"
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: chatpictures BROWSER GOLDENS DIRECTORY")
		os.Exit(2)
	}
	if err := drawAll(context.Background(), os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintf(os.Stderr, "chatpictures: %v\n", err)
		os.Exit(1)
	}
}
