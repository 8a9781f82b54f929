// Package cli is the command line of the reception command: one file for each of its commands, and a few that they share.
package cli
