using System.Numerics;
using System.Runtime.CompilerServices;
using Dunlin.Contracts.Manifests;

namespace Dunlin.Runtime.Preprocessing;

/// <summary>Resamples one plane: rows horizontally as they are met (each once), then a weighted sum of the rows that a target row needs.</summary>
internal sealed unsafe class PlaneResampler
{
    private readonly AxisTable _vertical;
    private readonly RowResampler _horizontal;
    private readonly int _rowLength;
    private readonly int[] _cached;
    private readonly float[] _rows;
    private readonly float[] _sum;

    public PlaneResampler(in Fit fit, in PictureShape shape, int plane, Interpolation interpolation)
    {
        var (scaleX, scaleY) = (shape.ScaleX(plane), shape.ScaleY(plane));
        var width = shape.PlaneWidth(plane);
        Height = shape.PlaneHeight(plane);
        var horizontal = AxisTable.Of(width, fit.SourceX * scaleX, fit.SourceWidth * scaleX, fit.TargetWidth, interpolation);
        _horizontal = new RowResampler(horizontal, width);
        FirstColumn = horizontal.Starts[0];
        LastColumn = Math.Min(horizontal.Starts[^1] + horizontal.TapCount - 1, width - 1);
        _vertical = AxisTable.Of(Height, fit.SourceY * scaleY, fit.SourceHeight * scaleY, fit.TargetHeight, interpolation);
        _rowLength = RowResampler.OutputLength(fit.TargetWidth);
        _cached = new int[_vertical.TapCount];
        _rows = GC.AllocateArray<float>(_rowLength * _cached.Length, pinned: true);
        _sum = GC.AllocateArray<float>(_rowLength, pinned: true);
    }

    /// <summary>Rows of the plane.</summary>
    public int Height { get; }

    /// <summary>The first and last column of the plane that have any influence.</summary>
    public int FirstColumn { get; }

    public int LastColumn { get; }

    public int TapCount => _cached.Length;

    /// <summary>Forgets the rows of the former picture.</summary>
    public void Begin() => Array.Fill(_cached, -1);

    /// <summary>The source row of a tap if it counts and is not there yet, else -1.</summary>
    public int Missing(int targetRow, int tap)
    {
        if (Weight(targetRow, tap) == 0) return -1;
        var row = _vertical.Starts[targetRow] + tap;
        return _cached[row % TapCount] == row ? -1 : row;
    }

    public void Add(int sourceRow, byte* pixels)
    {
        var place = sourceRow % TapCount;
        _horizontal.Apply(pixels, Row(place));
        _cached[place] = sourceRow;
    }

    /// <summary>One row of the target; valid until the next call.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public float* Combine(int targetRow)
    {
        var sum = (float*)Unsafe.AsPointer(ref _sum[0]);
        var written = false;
        for (var tap = 0; tap < TapCount; tap += 2)
        {
            var weightA = Weight(targetRow, tap);
            var weightB = tap + 1 < TapCount ? Weight(targetRow, tap + 1) : 0;
            var a = Row((_vertical.Starts[targetRow] + tap) % TapCount);
            var b = Row((_vertical.Starts[targetRow] + tap + 1) % TapCount);
            if (weightA == 0 && weightB == 0) continue;
            if (weightA == 0) a = b;
            if (weightB == 0) b = a;
            if (!written && weightA == 1) return a;
            var (wa, wb) = (new Vector<float>(weightA), new Vector<float>(weightB));
            if (!written)
            {
                for (var x = 0; x < _rowLength; x += Vector<float>.Count)
                    Vector.MultiplyAddEstimate(Vector.Load(a + x), wa, Vector.Load(b + x) * wb).Store(sum + x);
            }
            else
            {
                for (var x = 0; x < _rowLength; x += Vector<float>.Count)
                {
                    var inner = Vector.MultiplyAddEstimate(Vector.Load(b + x), wb, Vector.Load(sum + x));
                    Vector.MultiplyAddEstimate(Vector.Load(a + x), wa, inner).Store(sum + x);
                }
            }

            written = true;
        }

        return sum;
    }

    private float Weight(int targetRow, int tap) => _vertical.Weights[targetRow * TapCount + tap];

    private float* Row(int place) => (float*)Unsafe.AsPointer(ref _rows[place * _rowLength]);
}
