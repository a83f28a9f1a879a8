// Package costs holds what the functions may cost: the size of what is deployed, the time of a cold start and memory. It has no code
// of its own and nobody imports it; make bench prints the table.
package costs
