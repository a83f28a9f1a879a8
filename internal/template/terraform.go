package template

import "github.com/replimend/replimend/internal/jsontree"

func newTerraform(w *world, f File, root jsontree.Node) (reader, error) { return nil, nil }
