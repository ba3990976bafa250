// Package page shows runs of "hubsub bench" as one HTML page, and the ratios of many runs as one picture.
//
// A page needs nothing but itself: its style is inline, its charts are SVG made here, there is no script. It follows the
// reader's choice of light or dark, fits a phone and prints.
//
// # How a chart is made
//
// A chart has to keep its text at one size on every screen, so it is not one scaled drawing. Horizontal positions are
// percentages of a plot as wide as the screen leaves it, heights are pixels; names, values and tick labels stand around
// the plot as text that the browser lays out. Only the lines of curves are stretched, and their strokes are not.
// The picture has a fixed size, as it must be an image of its own, and brings its background, light or dark.
//
// # How it is read
//
// A server has one colour on the whole page, told apart by colour-blind readers too, and its name stands beside whatever
// is its own: there are no legends. The first server is what others are compared to, and grey. Dots are single
// measurements; the bar among them is their median. Axes begin at zero, but for ratios, latencies and values more than
// logSpan apart, which have logarithmic ones. What a measurement does not have is left out.
//
// A run becomes a section, a section becomes HTML by page.html. The package imports record and the standard library.
package page
