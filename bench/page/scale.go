package page

import "math"

// scale places values on an axis, from 0 to 100 percent of its length.
type scale struct {
	low, high float64
	log       bool
	ticks     []float64
}

// logSpan is how many times the lowest value the highest may be before a linear axis shows the lowest as nothing.
const logSpan = 30

// scaleFor returns a scale that begins at zero, or a logarithmic one if the values differ by more than logSpan.
// Its ticks are round in the unit that its highest value is written in.
func scaleFor(values []float64, unit string) scale {
	low, high := extremes(values)
	divisor := measureFor(unit, high).divisor
	var s scale
	if low > 0 && high/low > logSpan {
		s = logScale(low/divisor, high/divisor)
	} else {
		s = linearScale(high / divisor)
	}
	s.low, s.high = s.low*divisor, s.high*divisor
	for i := range s.ticks {
		s.ticks[i] *= divisor
	}
	return s
}

// extremes returns the least and the greatest value, 0 and 0 of none.
func extremes(values []float64) (low, high float64) {
	for i, v := range values {
		if i == 0 || v < low {
			low = v
		}
		if i == 0 || v > high {
			high = v
		}
	}
	return low, high
}

// linearScale returns a scale from zero to a round number not below high.
func linearScale(high float64) scale {
	if high <= 0 {
		high = 1
	}
	step := niceStep(high / 4)
	s := scale{}
	for i := 0; ; i++ {
		s.high = float64(i) * step
		s.ticks = append(s.ticks, s.high)
		if s.high >= high*(1-1e-9) {
			return s
		}
	}
}

// niceStep returns the least of 1, 2, 2.5 and 5 times a power of ten that is not below v.
func niceStep(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, factor := range []float64{1, 2, 2.5, 5} {
		if factor*power >= v*(1-1e-9) {
			return factor * power
		}
	}
	return 10 * power
}

// logScale returns a logarithmic scale of positive values that reaches a little beyond them, with ticks at 1, 2 and 5
// times powers of ten, or at the powers alone if there are many.
func logScale(low, high float64) scale {
	const margin = 1.15
	s := scale{low: low / margin, high: high * margin, log: true}
	factors := []float64{1, 2, 5}
	switch decades := math.Log10(s.high / s.low); {
	case decades > 5:
		factors = []float64{1}
	case decades > 2.2:
		factors = []float64{1, 3}
	}
	for exponent := math.Floor(math.Log10(s.low)); exponent <= math.Ceil(math.Log10(s.high)); exponent++ {
		for _, factor := range factors {
			if v := factor * math.Pow10(int(exponent)); v >= s.low && v <= s.high {
				s.ticks = append(s.ticks, v)
			}
		}
	}
	return s
}

// at returns where a value stands, in percent, the nearest end if it is outside.
func (s scale) at(v float64) float64 {
	share := (v - s.low) / (s.high - s.low)
	if s.log {
		share = math.Log(max(v, s.low)/s.low) / math.Log(s.high/s.low)
	}
	return 100 * min(max(share, 0), 1)
}

// ratioScale returns a logarithmic scale around 1 that holds all ratios, and is never so narrow that noise looks large.
func ratioScale(ratios []float64) scale {
	low, high := extremes(append(ratios, 0.5, 2))
	return logScale(low, high)
}
