using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Explaining;
using Dunlin.Runtime.Frames;
using Dunlin.Runtime.Pipeline;
using Dunlin.Runtime.Preprocessing;
using Dunlin.Runtime.Sessions;
using Dunlin.Runtime.Snapshots;

namespace Dunlin.Agent.Heats;

/// <summary>Where a model looks in a frame, in cells over what it sees of the frame.</summary>
internal static class FrameExplainer
{
    /// <exception cref="ModelLoadException">The session could not be made.</exception>
    public static FromChild Explain(ExplainFrame request)
    {
        var input = request.Session.Input;
        using var session = ModelSession.Create(request.Session);
        using var tensor = session.CreateInput();
        using var preprocessor = new Preprocessor(input with { ElementType = ElementType.Float32 });
        var frame = new FrameBuffer { Format = PixelFormat.Jpeg };
        request.Image.Span.CopyTo(frame.Resize(request.Image.Length));
        var pixels = new float[preprocessor.TensorLength];
        var status = preprocessor.Process(frame, pixels);
        if (status != FrameStatus.Ok || FrameJpeg.SizeOf(frame) is not var (width, height)) return new ChildError { Code = "frame.unreadable", Detail = $"The frame cannot be read ({status})." };
        var best = new ClassScore[1];
        if (TopScores.Select(Run(session, tensor, pixels), best) < 1) return new ChildError { Code = "frame.scores", Detail = "The model's scores for the frame are not finite." };
        var falls = Occlusion.Falls(pixels, input, best[0].Probability, covered => Run(session, tensor, covered)[best[0].Index]);
        var fit = Fit.Of(input, width, height);
        var (columns, rows) = (Math.Min(Explanation.MaximumSide, fit.TargetWidth), Math.Min(Explanation.MaximumSide, fit.TargetHeight));
        return new FrameExplained
        {
            Score = best[0],
            Area = AreaOf(fit, width, height),
            Columns = columns,
            Rows = rows,
            Heat = Normalized(Cells(falls, input.Width, fit, columns, rows)),
        };
    }

    private static FrameArea AreaOf(Fit fit, int width, int height)
    {
        // A crop of the whole may lie outside by a rounding.
        var (x, y) = (Math.Clamp(fit.SourceX / width, 0, 1), Math.Clamp(fit.SourceY / height, 0, 1));
        return new FrameArea(x, y, Math.Min(fit.SourceWidth / width, 1 - x), Math.Min(fit.SourceHeight / height, 1 - y));
    }

    /// <summary>Means over cells of the part of the input that holds the frame.</summary>
    private static double[] Cells(float[] falls, int inputWidth, Fit fit, int columns, int rows)
    {
        var cells = new double[columns * rows];
        for (var row = 0; row < rows; row++)
        {
            var (top, bottom) = (row * fit.TargetHeight / rows, (row + 1) * fit.TargetHeight / rows);
            for (var column = 0; column < columns; column++)
            {
                var (left, right) = (column * fit.TargetWidth / columns, (column + 1) * fit.TargetWidth / columns);
                for (var y = top; y < bottom; y++)
                    for (var x = left; x < right; x++) cells[row * columns + column] += falls[(fit.TargetY + y) * inputWidth + fit.TargetX + x];
                cells[row * columns + column] /= (bottom - top) * (right - left);
            }
        }

        return cells;
    }

    private static double[] Normalized(double[] cells)
    {
        var (least, most) = (cells.Min(), cells.Max());
        return [.. cells.Select(cell => most > least ? Math.Round((cell - least) / (most - least), 3) : 0)];
    }

    private static ReadOnlySpan<float> Run(ModelSession session, ModelInput input, ReadOnlySpan<float> pixels)
    {
        input.Fill(pixels);
        return session.Run(input);
    }
}
