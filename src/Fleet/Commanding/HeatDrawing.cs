using System.Globalization;
using System.Text;
using System.Xml.Linq;
using Dunlin.Contracts.Messages;
using Dunlin.Fleet.Connecting;

namespace Dunlin.Fleet.Commanding;

/// <summary>
/// An explanation as an SVG that stands alone: the frame, dark where the model does not look at all, the heat over it, and what was seen.
/// Made of elements, so that no text of a device becomes markup.
/// </summary>
internal static class HeatDrawing
{
    private const double Width = 800, CaptionHeight = 64, Margin = 14, Hottest = 0.65;
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    /// <param name="device">Which.</param>
    /// <param name="explanation">Keeps <see cref="PictureRules"/>.</param>
    public static byte[] Draw(string device, Explanation explanation)
    {
        var height = Width * explanation.Height / explanation.Width;
        var title = string.Create(CultureInfo.InvariantCulture, $"{DeviceText.Clean(explanation.Score.Label)} {100 * explanation.Score.Probability:0.0} %");
        var origin = string.Create(CultureInfo.InvariantCulture, $"{device} · {DeviceText.Clean(explanation.Variant)} · frame {explanation.Frame} · {explanation.Captured:u}");
        var drawing = Of("svg", ("viewBox", $"0 0 {Number(Width)} {Number(height + CaptionHeight)}"), ("width", Number(Width)), ("height", Number(height + CaptionHeight)), ("role", "img"));
        drawing.Add(
            new XElement(Svg + "title", title),
            Of("image", ("width", Number(Width)), ("height", Number(height)), ("preserveAspectRatio", "none"), ("href", "data:image/jpeg;base64," + Convert.ToBase64String(explanation.Image.Span))),
            Shade(explanation.Area, height),
            Cells(explanation, height),
            Of("rect", ("y", Number(height)), ("width", Number(Width)), ("height", Number(CaptionHeight)), ("fill", "#16191d")),
            Line(height + 27, 20, title),
            Line(height + 50, 14, origin));
        return Encoding.UTF8.GetBytes(drawing + "\n");
    }

    /// <summary>All but the area: a second outline within the first is a hole by the even-odd rule.</summary>
    private static XElement Shade(FrameArea area, double height)
    {
        var hole = $"M{Number(area.X * Width)} {Number(area.Y * height)}h{Number(area.Width * Width)}v{Number(area.Height * height)}h{Number(-area.Width * Width)}Z";
        return Of("path", ("d", $"M0 0H{Number(Width)}V{Number(height)}H0Z{hole}"), ("fill-rule", "evenodd"), ("fill-opacity", "0.6"));
    }

    private static XElement Cells(Explanation explanation, double height)
    {
        var (area, columns) = (explanation.Area, explanation.Columns);
        var (width, tall) = (area.Width * Width / columns, area.Height * height / explanation.Rows);
        // Without crisp edges a seam shows between neighbours.
        var cells = Of("g", ("fill", "#ff3d00"), ("shape-rendering", "crispEdges"));
        cells.Add(explanation.Heat.Select((heat, i) => Of("rect",
            ("x", Number(area.X * Width + i % columns * width)), ("y", Number(area.Y * height + i / columns * tall)), ("width", Number(width)), ("height", Number(tall)),
            ("fill-opacity", Number(Hottest * heat)))));
        return cells;
    }

    private static XElement Line(double y, int size, string text)
    {
        var line = Of("text", ("x", Number(Margin)), ("y", Number(y)), ("font-family", "sans-serif"), ("font-size", Number(size)), ("fill", "#ffffff"));
        line.Add(text);
        return line;
    }

    private static XElement Of(string name, params ReadOnlySpan<(string Name, string Value)> attributes)
    {
        var element = new XElement(Svg + name);
        foreach (var (attribute, value) in attributes) element.Add(new XAttribute(attribute, value));
        return element;
    }

    private static string Number(double value) => value.ToString("0.###", CultureInfo.InvariantCulture);
}
