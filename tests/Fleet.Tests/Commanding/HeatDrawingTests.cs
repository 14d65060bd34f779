using System.Globalization;
using System.Text;
using System.Xml.Linq;
using Dunlin.Contracts.Messages;
using Dunlin.Fleet.Commanding;

namespace Dunlin.Fleet.Tests.Commanding;

public sealed class HeatDrawingTests
{
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    [Fact]
    public void TheDrawingHoldsTheFrameAndACellForEachShareOfHeat()
    {
        var drawing = Draw(Pictures.Explanation);
        Assert.Equal("data:image/jpeg;base64," + Convert.ToBase64String(Pictures.Jpeg), drawing.Element(Svg + "image")!.Attribute("href")!.Value);
        var cells = drawing.Element(Svg + "g")!.Elements(Svg + "rect").ToList();
        // 800 × 600, of which the area is 600 × 600 from 100 on: cells of 200 × 300, row by row.
        Assert.Equal([(100, 0), (300, 0), (500, 0), (100, 300), (300, 300), (500, 300)], cells.Select(cell => (Number(cell, "x"), Number(cell, "y"))));
        Assert.All(cells, cell => Assert.Equal((200, 300), (Number(cell, "width"), Number(cell, "height"))));
        var opacities = cells.Select(cell => Number(cell, "fill-opacity")).ToList();
        Assert.Equal((0, 0), (opacities[0], opacities[5]));
        Assert.Equal(opacities[..5], opacities[..5].Order());
        Assert.True(opacities.Max() < 1);
        Assert.Equal("bag 98.2 %", drawing.Elements(Svg + "text").First().Value);
        Assert.Equal("belt-1 · narrow-int8 · frame 813 · 2026-11-24 12:00:00Z", drawing.Elements(Svg + "text").Last().Value);
    }

    [Theory]
    [InlineData("<b>&\"")]
    [InlineData("</text><script>alert(1)</script>")]
    [InlineData("]]>\u0001\u001b[31m\uffff\ufffe\ud83d")]
    [InlineData("sac à main 👜")]
    public void ALabelIsTextWhateverItHolds(string label)
    {
        var drawing = Draw(Pictures.Explanation with { Score = new Score(0, label, 0.5), Variant = label });
        Assert.Equal(["g", "image", "path", "rect", "svg", "text", "title"], drawing.DescendantsAndSelf().Select(element => element.Name.LocalName).Distinct().Order(StringComparer.Ordinal));
        var shown = drawing.Elements(Svg + "text").First().Value;
        Assert.EndsWith(" 50.0 %", shown, StringComparison.Ordinal);
        Assert.Equal(label.Length + 7, shown.Length);
        if (!label.Any(character => char.IsControl(character))) Assert.StartsWith(label, shown, StringComparison.Ordinal);
    }

    private static XElement Draw(Explanation explanation) => XElement.Parse(Encoding.UTF8.GetString(HeatDrawing.Draw("belt-1", explanation)));

    private static double Number(XElement element, string attribute) => double.Parse(element.Attribute(attribute)!.Value, CultureInfo.InvariantCulture);
}
