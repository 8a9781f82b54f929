package report

import (
	"bytes"
	"fmt"
	"image/color"
	"io"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// The measures of a plot.
const (
	panelWidth  = 9.5 * vg.Centimeter
	panelHeight = 7 * vg.Centimeter
	legendWidth = 3.6 * vg.Centimeter
	gap         = 0.3 * vg.Centimeter
	columns     = 2
	typeface    = "Liberation"
)

// colors tell backends apart, also for people who see no red or no green (Okabe and Ito's palette).
var colors = map[string]color.RGBA{
	"etcd":      {R: 0x00, G: 0x72, B: 0xB2, A: 0xFF},
	"zookeeper": {R: 0xD5, G: 0x5E, B: 0x00, A: 0xFF},
	"consul":    {R: 0x00, G: 0x9E, B: 0x73, A: 0xFF},
	"fake":      {R: 0x56, G: 0x56, B: 0x56, A: 0xFF},
}

// A series is one side on one backend.
type series struct {
	backend string
	sdk     bool
	points  plotter.XYs
	spread  plotter.YErrors
}

// XY implements [plotter.XYer].
func (s *series) XY(i int) (x, y float64) { return s.points.XY(i) }

// Len implements [plotter.XYer].
func (s *series) Len() int { return len(s.points) }

// YError implements [plotter.YErrorer].
func (s *series) YError(i int) (low, high float64) { return s.spread.YError(i) }

// Plot draws a figure as SVG: a panel for each measure. It has nothing to draw where there are no results.
func (f *Figure) Plot(out io.Writer) error {
	measures := f.measures()
	rows := (len(measures) + columns - 1) / columns
	width := panelWidth * vg.Length(min(columns, len(measures)))
	canvas := vgsvg.New(width+legendWidth, panelHeight*vg.Length(rows))
	page := draw.New(canvas)
	page.SetColor(color.White)
	page.Fill(page.Path())

	var legend []*series
	for i, measure := range measures {
		left := panelWidth * vg.Length(i%columns)
		top := page.Max.Y - panelHeight*vg.Length(i/columns)
		panel, drawn, err := f.panel(measure)
		if err != nil {
			return fmt.Errorf("plot of %s, %s: %w", f.Name, measure, err)
		}
		panel.Draw(draw.Canvas{Canvas: canvas, Rectangle: vg.Rectangle{
			Min: vg.Point{X: left + gap, Y: top - panelHeight + gap}, Max: vg.Point{X: left + panelWidth - gap, Y: top - gap},
		}})
		if len(drawn) > len(legend) {
			legend = drawn
		}
	}
	f.legend(legend).Draw(draw.Crop(page, width, 0, 0, -vg.Centimeter))

	var svg bytes.Buffer
	if _, err := canvas.WriteTo(&svg); err != nil {
		return err
	}
	// Where the font of the measurements is missing, one that is as wide.
	text := bytes.ReplaceAll(svg.Bytes(), []byte("font-family:Liberation Sans;"),
		[]byte("font-family:'Liberation Sans',Arial,Helvetica,sans-serif;"))
	_, err := out.Write(text)
	return err
}

// measures are the names of what was measured, in order.
func (f *Figure) measures() []string {
	var names []string
	seen := map[string]bool{}
	for _, r := range f.Results {
		if !seen[r.Measure] {
			seen[r.Measure] = true
			names = append(names, r.Measure)
		}
	}
	return names
}

// series collects what there is of a measure. A figure of one size has its backends side by side, one step apart.
func (f *Figure) series(measure string) (all []*series, places []string, unit Unit) {
	at := map[string]int{}
	of := map[string]*series{}
	for i := range f.Results {
		r := &f.Results[i]
		if r.Measure != measure {
			continue
		}
		unit = r.Unit
		place, known := at[r.Backend]
		if !known {
			place = len(places)
			at[r.Backend] = place
			places = append(places, r.Backend)
		}
		for _, side := range []struct {
			sdk    bool
			sample *Sample
			shift  float64
		}{{false, r.Bare, -0.15}, {true, r.SDK, 0.15}} {
			if side.sample == nil {
				continue
			}
			key := fmt.Sprint(r.Backend, side.sdk)
			s := of[key]
			if s == nil {
				s = &series{backend: r.Backend, sdk: side.sdk}
				of[key] = s
				all = append(all, s)
			}
			x := float64(r.N)
			if f.SizesOf == "" {
				x = float64(place) + side.shift
			}
			s.points = append(s.points, plotter.XY{X: x, Y: side.sample.Median})
			s.spread = append(s.spread, struct{ Low, High float64 }{
				Low: side.sample.Low - side.sample.Median, High: side.sample.High - side.sample.Median,
			})
		}
	}
	return all, places, unit
}

// panel draws one measure.
func (f *Figure) panel(measure string) (*plot.Plot, []*series, error) {
	all, places, unit := f.series(measure)
	p := plot.New()
	style(p)
	p.Title.Text = measure
	if len(f.measures()) == 1 {
		p.Title.Text = f.Title
	}
	if unit != Count {
		p.Y.Label.Text = string(unit)
	}
	least, most := bounds(all)
	if least > 0 {
		p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, logTicks{}
		p.Y.Min, p.Y.Max = least/1.3, most*1.3
	} else {
		p.Y.Min, p.Y.Max = 0, max(most*1.1, 1)
	}
	if f.SizesOf == "" {
		p.NominalX(places...)
		p.X.Min, p.X.Max = -0.5, float64(len(places))-0.5
	} else {
		p.X.Label.Text = f.SizesOf
		p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, logTicks{}
	}
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = color.Gray{0xE4}, color.Gray{0xE4}
	p.Add(grid)
	for _, s := range all {
		if err := s.add(p, f.SizesOf != ""); err != nil {
			return nil, nil, err
		}
	}
	return p, all, nil
}

// add draws a series: the SDK's with full marks and lines, the bare client's with hollow and broken ones.
func (s *series) add(p *plot.Plot, lines bool) error {
	line, points, err := plotter.NewLinePoints(s)
	if err != nil {
		return err
	}
	s.dress(line, points)
	bars, err := plotter.NewYErrorBars(s)
	if err != nil {
		return err
	}
	bars.Color, bars.Width, bars.CapWidth = colors[s.backend], vg.Points(1), vg.Points(6)
	if lines {
		p.Add(line)
	}
	p.Add(bars, points)
	return nil
}

// dress gives a line and its marks their looks.
func (s *series) dress(line *plotter.Line, points *plotter.Scatter) {
	line.Color, points.Color = colors[s.backend], colors[s.backend]
	line.Width, points.Radius = vg.Points(1.6), vg.Points(3.5)
	points.Shape = draw.CircleGlyph{}
	if !s.sdk {
		line.Dashes = []vg.Length{vg.Points(4), vg.Points(3)}
		points.Shape = draw.RingGlyph{}
	}
}

// legend explains the series.
func (f *Figure) legend(of []*series) *plot.Legend {
	legend := plot.NewLegend()
	legend.Top, legend.Left = true, true
	legend.TextStyle.Font = font.Font{Typeface: typeface, Variant: "Sans", Size: vg.Points(10)}
	legend.Padding = vg.Points(3)
	for _, s := range of {
		line, points, err := plotter.NewLinePoints(s)
		if err != nil {
			continue // it was drawn before
		}
		s.dress(line, points)
		name := s.backend + ", bare"
		if s.sdk {
			name = s.backend + ", SDK"
		}
		if f.SizesOf == "" {
			legend.Add(name, points)
		} else {
			legend.Add(name, line, points)
		}
	}
	return &legend
}

// style sets the fonts of a plot.
func style(p *plot.Plot) {
	p.BackgroundColor = color.White
	sans := func(size float64) font.Font {
		return font.Font{Typeface: typeface, Variant: "Sans", Size: vg.Points(size)}
	}
	p.Title.TextStyle.Font, p.Title.Padding = sans(11), vg.Points(6)
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Label.TextStyle.Font, axis.Tick.Label.Font = sans(10), sans(9)
		axis.Color, axis.Tick.Color = color.Gray{0x60}, color.Gray{0x60}
	}
}

// bounds are the least and the greatest value of all, spread included.
func bounds(all []*series) (least, most float64) {
	least, most = math.Inf(1), math.Inf(-1)
	for _, s := range all {
		for i, point := range s.points {
			least = min(least, point.Y+s.spread[i].Low)
			most = max(most, point.Y+s.spread[i].High)
		}
	}
	return least, most
}

// logTicks marks powers of ten, and 2 and 5 of them too where there are few.
type logTicks struct{}

// Ticks implements [plot.Ticker].
func (logTicks) Ticks(least, most float64) []plot.Tick {
	steps := []float64{1}
	if most/least < 300 {
		steps = []float64{1, 2, 5}
	}
	var ticks []plot.Tick
	for power := math.Floor(math.Log10(least)); power <= math.Ceil(math.Log10(most)); power++ {
		for _, step := range steps {
			value := step * math.Pow(10, power)
			if value >= least*0.999 && value <= most*1.001 {
				ticks = append(ticks, plot.Tick{Value: value, Label: short(value)})
			}
		}
	}
	return ticks
}

// short writes a number the way an axis wants it.
func short(value float64) string {
	switch {
	case value >= 1e6:
		return strconv.FormatFloat(value/1e6, 'g', 3, 64) + "M"
	case value >= 1e3:
		return strconv.FormatFloat(value/1e3, 'g', 3, 64) + "k"
	default:
		return strconv.FormatFloat(value, 'g', 3, 64)
	}
}
