//go:build !race

package chaos_test

const schedulesByDefault = 5000
