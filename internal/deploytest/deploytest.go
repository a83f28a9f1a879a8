// Package deploytest deploys everything with the commands of the README into accounts of moto, reads it back, and has what was deployed
// mend a route. It has tests only.
package deploytest
