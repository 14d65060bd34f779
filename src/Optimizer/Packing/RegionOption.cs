using System.CommandLine;
using System.Globalization;
using Dunlin.Contracts.Manifests;

namespace Dunlin.Optimizer.Packing;

/// <summary><c>--region</c>: where in a camera's frame a device looks.</summary>
internal static class RegionOption
{
    private const string Rule = "write x,y,width,height in fractions 0…1 of the frame, or in pixels with the frame's size behind them, for example 208,128,224,224@640x480";

    public static readonly Option<string?> Region = new("--region") { Description = "The part of a camera's frame that devices look at: x,y,width,height as fractions, or in pixels with @WIDTHxHEIGHT of the frame. All of it if not given." };

    /// <exception cref="FormatException">It is no rectangle within the frame.</exception>
    public static RegionOfInterest? Of(ParseResult arguments)
    {
        if (arguments.GetValue(Region) is not { } text) return null;
        var parts = text.Split('@');
        if (parts.Length > 2 || Numbers(parts[0], ',') is not [>= 0 and var x, >= 0 and var y, > 0 and var width, > 0 and var height]) throw Refused();
        double[]? frame = parts.Length == 1 ? [1, 1] : Numbers(parts[1], 'x');
        if (frame is not [> 0 and var frameWidth, > 0 and var frameHeight] || x + width > frameWidth || y + height > frameHeight) throw Refused();
        return new RegionOfInterest { X = x / frameWidth, Y = y / frameHeight, Width = width / frameWidth, Height = height / frameHeight };

        FormatException Refused() => new($"--region is '{text}'; {Rule}.");
    }

    private static double[]? Numbers(string text, char separator)
    {
        var numbers = text.Split(separator).Select(n => double.TryParse(n, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) ? number : -1).ToArray();
        return numbers.Contains(-1) ? null : numbers;
    }
}
