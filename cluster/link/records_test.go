package link

import "encoding/binary"

// record appends a record with a number and so many bytes.
func record(dst []byte, number uint64, bytes int) []byte {
	bytes = max(bytes, 8)
	dst = binary.AppendUvarint(dst, uint64(bytes))
	dst = binary.BigEndian.AppendUint64(dst, number)
	for i := range bytes - 8 {
		dst = append(dst, byte(i)&0x0f)
	}
	return dst
}

// noise appends a record that nothing compresses.
func noise(dst []byte, number uint64, bytes int) []byte {
	from := len(dst)
	dst = record(dst, number, bytes)
	x := number*0x9e3779b97f4a7c15 + 1
	for i := from + binary.MaxVarintLen32 + 8; i < len(dst); i++ {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		dst[i] = byte(x)
	}
	return dst
}
