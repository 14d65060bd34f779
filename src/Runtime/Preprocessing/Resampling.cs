using System.Runtime.CompilerServices;
using Dunlin.Contracts.Manifests;

namespace Dunlin.Runtime.Preprocessing;

/// <summary>Tables and row memory for pictures of one shape.</summary>
internal sealed unsafe class Resampling
{
    private readonly PlaneResampler[] _planes;
    private readonly byte[] _unpacked;
    private readonly int _unpackedLength;
    private readonly int _firstColumn;
    private readonly int _columnCount;
    private Picture _picture;

    public Resampling(InputSpec spec, PictureShape shape)
    {
        Shape = shape;
        Fit = Fit.Of(spec, shape.Width, shape.Height);
        Colours = new ColourMap(shape.Layout, spec);
        // Of YUV, gray needs luma alone.
        var planeCount = spec.Channels == ChannelOrder.Gray && shape.Layout != PixelLayout.Rgb ? 1 : shape.PlaneCount;
        _planes = new PlaneResampler[planeCount];
        for (var plane = 0; plane < planeCount; plane++) _planes[plane] = new PlaneResampler(Fit, shape, plane, spec.Interpolation);
        if (shape.Packing == Packing.Planar)
        {
            _unpacked = [];
            return;
        }

        var (first, last) = (int.MaxValue, 0);
        for (var plane = 0; plane < planeCount; plane++)
        {
            var pixels = plane == 0 ? 1 : shape.ChromaX;
            first = Math.Min(first, _planes[plane].FirstColumn * pixels);
            last = Math.Max(last, (_planes[plane].LastColumn + 1) * pixels);
        }

        _firstColumn = first & ~1;
        _columnCount = Math.Min(((last + 1) & ~1) - _firstColumn, shape.PlaneWidth(0) - _firstColumn);
        _unpackedLength = shape.PlaneWidth(0) + RowResampler.Padding;
        _unpacked = GC.AllocateArray<byte>(3 * _unpackedLength, pinned: true);
    }

    public PictureShape Shape { get; }
    public Fit Fit { get; }
    public ColourMap Colours { get; }

    public void Begin(in Picture picture)
    {
        _picture = picture;
        foreach (var plane in _planes) plane.Begin();
    }

    /// <summary>The planes' values for one row of the target; where there are fewer than three, the last stands for the rest.</summary>
    public void Row(int targetRow, float** rows)
    {
        if (Shape.Packing == Packing.Planar) AddPlanar(targetRow);
        else AddPacked(targetRow);
        for (var plane = 0; plane < 3; plane++)
            rows[plane] = plane < _planes.Length ? _planes[plane].Combine(targetRow) : rows[plane - 1];
    }

    private void AddPlanar(int targetRow)
    {
        for (var plane = 0; plane < _planes.Length; plane++)
        {
            var resampler = _planes[plane];
            var (pixels, stride) = plane switch
            {
                0 => ((nint)_picture.Plane0, _picture.Stride0),
                1 => ((nint)_picture.Plane1, _picture.Stride1),
                _ => ((nint)_picture.Plane2, _picture.Stride2),
            };
            for (var tap = 0; tap < resampler.TapCount; tap++)
                if (resampler.Missing(targetRow, tap) is >= 0 and var row) resampler.Add(row, (byte*)pixels + (nint)row * stride);
        }
    }

    /// <summary>The planes of a packed picture have the same rows: each is taken apart once.</summary>
    private void AddPacked(int targetRow)
    {
        var first = _planes[0];
        for (var tap = 0; tap < first.TapCount; tap++)
        {
            if (first.Missing(targetRow, tap) is not (>= 0 and var row)) continue;
            Unpack(_picture.Plane0 + (nint)row * _picture.Stride0);
            for (var plane = 0; plane < _planes.Length; plane++) _planes[plane].Add(row, Unpacked(plane));
        }
    }

    private void Unpack(byte* row)
    {
        byte* a = Unpacked(0), b = Unpacked(1), c = Unpacked(2);
        var half = _firstColumn / 2;
        if (Shape.Packing == Packing.Yuyv)
            Unpacking.Yuyv(row + 2 * _firstColumn, a + _firstColumn, b + half, c + half, _columnCount / 2);
        else
            Unpacking.Interleaved3(row + 3 * _firstColumn, a + _firstColumn, b + _firstColumn, c + _firstColumn, _columnCount);
    }

    private byte* Unpacked(int plane) => (byte*)Unsafe.AsPointer(ref _unpacked[plane * _unpackedLength]);
}
