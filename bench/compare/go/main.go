// Go's Mann-Whitney test, the one that benchstat uses, for the comparison. Reads a line "NAME SIZE TIMES" after the
// other and answers each with the seconds of processor time that it took.
package main

import (
	"bufio"
	"fmt"
	"math"
	"math/rand"
	"os"
	"strings"
	"syscall"

	"github.com/aclements/go-moremath/stats"
)

type pair struct{ baseline, canary []float64 }

func sample(size int, ties bool) []float64 {
	values := make([]float64, size)
	for i := range values {
		if ties {
			values[i] = math.Round(40 + 6.3*rand.NormFloat64())
		} else {
			values[i] = math.Exp(rand.NormFloat64())
		}
	}
	return values
}

func processorTime() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
}

func main() {
	pairs := map[string][]pair{}
	next := 0
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		var name string
		var size, times int
		if _, err := fmt.Sscan(in.Text(), &name, &size, &times); err != nil {
			panic(err)
		}
		key := fmt.Sprint(name, size)
		if pairs[key] == nil {
			ties := strings.HasSuffix(name, "_ties")
			for i := 0; i < 4+20000/size; i++ {
				pairs[key] = append(pairs[key], pair{sample(size, ties), sample(size, ties)})
			}
		}
		data := pairs[key]
		start := processorTime()
		for i := 0; i < times; i++ {
			p := data[next%len(data)]
			next++
			if _, err := stats.MannWhitneyUTest(p.canary, p.baseline, stats.LocationDiffers); err != nil {
				panic(err)
			}
		}
		fmt.Println(processorTime() - start)
	}
}
