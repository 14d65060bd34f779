using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Dunlin.Contracts.Manifests;

namespace Dunlin.Runtime.Preprocessing;

/// <summary>Tables and row memory for pictures of one shape: the planes' values for one row of the target after the other.</summary>
internal sealed unsafe class Resampling
{
    private readonly Plane[] _planes;
    private readonly short[] _blended;
    private readonly int _blendedLength;
    private readonly float[] _rows;
    private readonly int _rowLength;
    private readonly int _firstPixel;
    private readonly int _pixelCount;

    public Resampling(InputSpec spec, PictureShape shape)
    {
        Shape = shape;
        Fit = Fit.Of(spec, shape.Width, shape.Height);
        Colours = new ColourMap(shape.Layout, spec);
        // Of YUV, gray needs luma alone.
        var planeCount = spec.Channels == ChannelOrder.Gray && shape.Layout != PixelLayout.Rgb ? 1 : shape.PlaneCount;
        _planes = new Plane[planeCount];
        for (var plane = 0; plane < planeCount; plane++) _planes[plane] = new Plane(Fit, shape, plane, spec.Interpolation);
        var first = _planes.Select((plane, i) => plane.FirstColumn * PixelsPerSample(i)).Min();
        var end = _planes.Select((plane, i) => (plane.LastColumn + 1) * PixelsPerSample(i)).Max();
        (_firstPixel, _pixelCount) = shape.Packing == Packing.Yuyv ? (first & ~1, ((end + 1) & ~1) - (first & ~1)) : (first, end - first);
        _blendedLength = shape.PlaneWidth(0) + _planes.Max(plane => plane.Horizontal.Padding);
        _blended = GC.AllocateArray<short>(6 * _blendedLength, pinned: true);
        _rowLength = HorizontalPass.OutputLength(Fit.TargetWidth);
        _rows = GC.AllocateArray<float>(planeCount * _rowLength, pinned: true);
    }

    public PictureShape Shape { get; }
    public Fit Fit { get; }
    public ColourMap Colours { get; }

    /// <summary>The rows are valid until the next call; where there are fewer than three planes, the last stands for the rest.</summary>
    public void Row(in Picture picture, int targetRow, float** rows)
    {
        if (Shape.Packing == Packing.Planar) BlendPlanar(picture, targetRow);
        else BlendPacked(picture, targetRow);
        for (var plane = 0; plane < 3; plane++)
        {
            rows[plane] = (float*)Unsafe.AsPointer(ref _rows[Math.Min(plane, _planes.Length - 1) * _rowLength]);
            if (plane < _planes.Length) _planes[plane].Horizontal.Apply(Blended(plane), rows[plane]);
        }
    }

    private void BlendPlanar(in Picture picture, int targetRow)
    {
        for (var plane = 0; plane < _planes.Length; plane++)
        {
            var (pixels, stride) = plane switch
            {
                0 => ((nint)picture.Plane0, picture.Stride0),
                1 => ((nint)picture.Plane1, picture.Stride1),
                _ => ((nint)picture.Plane2, picture.Stride2),
            };
            var (vertical, first, last) = (_planes[plane].Vertical, _planes[plane].FirstColumn, _planes[plane].LastColumn);
            vertical.Choose(targetRow, (byte*)pixels, stride);
            vertical.Bytes(first, last + 1 - first, Blended(plane));
        }
    }

    /// <summary>The planes of a packed picture have the same rows.</summary>
    private void BlendPacked(in Picture picture, int targetRow)
    {
        var vertical = _planes[0].Vertical;
        vertical.Choose(targetRow, picture.Plane0, picture.Stride0);
        if (Shape.Packing == Packing.Yuyv)
        {
            vertical.Yuyv(_firstPixel, _pixelCount, Blended(0), Blended(1), Blended(2));
            return;
        }

        vertical.Bytes(3 * _firstPixel, 3 * _pixelCount, Blended(3));
        Unpacking.Interleaved3(Blended(3) + 3 * _firstPixel, Blended(0) + _firstPixel, Blended(1) + _firstPixel, Blended(2) + _firstPixel, _pixelCount);
    }

    private int PixelsPerSample(int plane) => plane == 0 ? 1 : Shape.ChromaX;

    private short* Blended(int place) => (short*)Marshal.UnsafeAddrOfPinnedArrayElement(_blended, place * _blendedLength);

    private sealed class Plane
    {
        public Plane(in Fit fit, in PictureShape shape, int plane, Interpolation interpolation)
        {
            var (scaleX, scaleY) = (shape.ScaleX(plane), shape.ScaleY(plane));
            var (width, height) = (shape.PlaneWidth(plane), shape.PlaneHeight(plane));
            var columns = AxisTable.Of(width, fit.SourceX * scaleX, fit.SourceWidth * scaleX, fit.TargetWidth, interpolation);
            var rows = AxisTable.Of(height, fit.SourceY * scaleY, fit.SourceHeight * scaleY, fit.TargetHeight, interpolation);
            Vertical = new VerticalPass(rows, height);
            Horizontal = new HorizontalPass(columns);
            FirstColumn = columns.Starts[0];
            LastColumn = Math.Min(columns.Starts[^1] + columns.TapCount, width) - 1;
        }

        public VerticalPass Vertical { get; }

        public HorizontalPass Horizontal { get; }

        /// <summary>The first and last column of the plane that have any influence.</summary>
        public int FirstColumn { get; }

        public int LastColumn { get; }
    }
}
