using System.Globalization;
using System.Xml.Linq;

namespace Dunlin.Optimizer.Reporting;

/// <summary>
/// Scalable drawings whose colours are the page's, light or dark; as elements and not by ScottPlot, whose drawings have no text where no
/// font is installed. Names have no namespace, as within HTML; a file of its own gets it.
/// </summary>
internal static class Svg
{
    /// <summary>Pixels that a character of a label takes at most, on average.</summary>
    public const double CharacterWidth = 6.6;

    public const double LineHeight = 15;

    private static readonly XNamespace Namespace = "http://www.w3.org/2000/svg";

    public static XElement Root(double width, double height, string title, params IEnumerable<object> content) => new(
        "svg", new XAttribute("viewBox", $"0 0 {Number(width)} {Number(height)}"), new XAttribute("width", Number(width)), new XAttribute("height", Number(height)),
        new XAttribute("role", "img"), new XElement("title", title), content);

    public static XElement Line(double x1, double y1, double x2, double y2, string style) => Of("line", style, ("x1", x1), ("y1", y1), ("x2", x2), ("y2", y2));

    public static XElement Rectangle(double x, double y, double width, double height, string style) => Of("rect", style, ("x", x), ("y", y), ("width", width), ("height", height));

    public static XElement Circle(double x, double y, double radius, string style) => Of("circle", style, ("cx", x), ("cy", y), ("r", radius));

    public static XElement Polyline(IEnumerable<(double X, double Y)> points, string style) =>
        new("polyline", new XAttribute("class", style), new XAttribute("points", string.Join(' ', points.Select(p => $"{Number(p.X)},{Number(p.Y)}"))));

    /// <param name="x">Where its anchor is.</param>
    /// <param name="y">Of its base line.</param>
    /// <param name="text">One line.</param>
    /// <param name="style">Its class.</param>
    /// <param name="anchor">start, middle or end.</param>
    public static XElement Text(double x, double y, string text, string style = "label", string anchor = "start")
    {
        var element = Of("text", style, ("x", x), ("y", y));
        element.Add(new XAttribute("text-anchor", anchor), text);
        return element;
    }

    public static XElement TurnedText(double x, double y, string text)
    {
        var element = Text(x, y, text, "axis-title", "middle");
        element.Add(new XAttribute("transform", $"rotate(-90 {Number(x)} {Number(y)})"));
        return element;
    }

    /// <summary>A file that stands alone.</summary>
    /// <param name="drawing">Is not changed.</param>
    /// <param name="styles">The rules for its classes.</param>
    public static string ToFile(XElement drawing, string styles)
    {
        var copy = new XElement(drawing);
        copy.AddFirst(new XElement("style", styles));
        foreach (var element in copy.DescendantsAndSelf()) element.Name = Namespace + element.Name.LocalName;
        return copy.ToString(SaveOptions.DisableFormatting) + "\n";
    }

    public static string Number(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);

    private static XElement Of(string name, string style, params ReadOnlySpan<(string Name, double Value)> numbers)
    {
        var element = new XElement(name, new XAttribute("class", style));
        foreach (var (attribute, value) in numbers) element.Add(new XAttribute(attribute, Number(value)));
        return element;
    }
}
