package link

import (
	"time"

	"github.com/klauspost/compress/s2"
)

// compressor compresses the batches to one peer while that pays.
type compressor struct {
	coded   []byte  // of the last batch
	share   float64 // of the bytes that are left, on average
	batches int     // that it is the average of, up to ratioBatches
	off     bool
	tried   time.Time // if it is off
}

// encode returns the body of a batch, and whether it is compressed. It stays
// until encode is called again.
func (z *compressor) encode(records []byte) (body []byte, compressed bool) {
	if len(records) < compressBytesMin {
		return records, false
	}
	if z.off {
		now := time.Now()
		if now.Sub(z.tried) < probeInterval {
			return records, false
		}
		z.tried = now
	}
	if need := s2.MaxEncodedLen(len(records)); need > cap(z.coded) {
		z.coded = make([]byte, need)
	}
	coded := s2.Encode(z.coded[:cap(z.coded)], records)
	if cap(z.coded) > spareBytesMax {
		z.coded = nil
	}
	z.learn(float64(len(coded)) / float64(len(records)))
	if len(coded) >= len(records) {
		return records, false
	}
	return coded, true
}

// learn takes one more batch in.
func (z *compressor) learn(share float64) {
	if z.off {
		if share <= shareMax {
			z.off, z.share, z.batches = false, share, 1
		}
		return
	}
	z.batches = min(z.batches+1, shareBatches)
	z.share += (share - z.share) / float64(z.batches)
	if z.batches == shareBatches && z.share > shareMax {
		z.off, z.tried = true, time.Now()
	}
}

// expand returns the records of a batch, which are dst's memory or the body's.
// Nothing is allocated for a length that is not announced twice, and checked.
func expand(dst []byte, h header, body []byte) ([]byte, error) {
	if h.flags&flagS2 == 0 {
		return body, nil
	}
	if n, err := s2.DecodedLen(body); err != nil || n != h.raw {
		return nil, refuseCode
	}
	if cap(dst) < h.raw {
		dst = make([]byte, h.raw)
	}
	records, err := s2.Decode(dst[:h.raw], body)
	if err != nil || len(records) != h.raw {
		return nil, refuseCode
	}
	return records, nil
}
