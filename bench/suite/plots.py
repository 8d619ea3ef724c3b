"""Plots as small SVG files, on a ground of their own, so that they can be read on white and on dark pages."""
import math

COLOURS = {"weir": "#0b6e4f", "envoy": "#b5179e", "haproxy": "#d17a00", "nginx": "#3a5fcd", "floor": "#888888"}
NAMES = {"weir": "weir", "envoy": "Envoy", "haproxy": "HAProxy", "nginx": "nginx", "floor": "floor"}


def page(width, height, title, parts):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13" fill="#222">\n'
            f'<title>{title}</title>\n<rect width="{width}" height="{height}" rx="8" fill="#fff"/>\n'
            f'<text x="16" y="24" font-size="15" font-weight="bold">{title}</text>\n' + "\n".join(parts) + "\n</svg>\n")


def text(x, y, words, anchor="start", colour="#222"):
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" fill="{colour}">{words}</text>'


def bars(title, rows):
    """Rows of (name, program, value, low, high): a bar each, with its interval."""
    width, left, top, step = 760, 130, 40, 24
    most = max(high for *_, high in rows)
    scale = (width - left - 70) / most
    parts = []
    for i, (name, program, value, low, high) in enumerate(rows):
        y = top + i * step
        parts += [text(left - 8, y + 14, name, "end"),
                  f'<rect x="{left}" y="{y + 3}" width="{value * scale:.1f}" height="15" rx="2" fill="{COLOURS[program]}"/>',
                  f'<path d="M{left + low * scale:.1f},{y + 10.5} H{left + high * scale:.1f}" stroke="#222" stroke-width="2"/>',
                  text(left + max(value, high) * scale + 8, y + 14, f"{value:.2f}")]
    one = left + scale
    parts.append(f'<path d="M{one:.1f},{top} V{top + len(rows) * step}" stroke="#222" stroke-dasharray="3 3"/>')
    return page(width, top + len(rows) * step + 14, title, parts)


def ticks(most):
    """Round numbers from 0 to most, four to eight of them."""
    step = 10 ** math.floor(math.log10(most / 4))
    step = next(step * factor for factor in (1, 2, 5, 10) if most / (step * factor) <= 8)
    return [step * i for i in range(int(most / step) + 2) if step * i <= most * 1.001]


def curves(title, axis, lines, logarithmic):
    """lines: program to [(point, microseconds)]. The horizontal axis is logarithmic where its points are powers."""
    width, height, left, right, top, bottom = 760, 330, 60, 90, 56, 46
    points = sorted({point for line in lines.values() for point, _ in line})
    most = max(value for line in lines.values() for _, value in line) * 1.05
    def place(point):
        return math.log10(point) if logarithmic else point
    first, last = place(points[0]), place(points[-1])
    def x(point):
        return left + (place(point) - first) / ((last - first) or 1) * (width - left - right)
    def y(value):
        return height - bottom - value / most * (height - top - bottom)
    parts = []
    for tick in ticks(most):
        parts += [f'<path d="M{left},{y(tick):.1f} H{width - right}" stroke="#ddd"/>', text(left - 8, y(tick) + 4, f"{tick:g}", "end")]
    parts += [text(x(point), height - bottom + 18, f"{point:,}", "middle") for point in points]
    parts += [text((left + width - right) / 2, height - 8, axis, "middle"), text(left, top - 6, "us of CPU a request")]
    labels = []
    for program, line in lines.items():
        if not line:
            continue
        path = " L".join(f"{x(point):.1f},{y(value):.1f}" for point, value in line)
        parts.append(f'<path d="M{path}" fill="none" stroke="{COLOURS[program]}" stroke-width="2.5"/>')
        parts += [f'<circle cx="{x(point):.1f}" cy="{y(value):.1f}" r="3.5" fill="{COLOURS[program]}"/>' for point, value in line]
        labels.append([y(line[-1][1]) + 4, program, x(line[-1][0])])
    labels.sort()
    for i, label in enumerate(labels):  # Apart, where lines end together.
        label[0] = max(label[0], labels[i - 1][0] + 15) if i else label[0]
        parts.append(text(label[2] + 9, label[0], NAMES[label[1]], colour=COLOURS[label[1]]))
    return page(width, height, title, parts)
