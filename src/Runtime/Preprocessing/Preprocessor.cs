using System.Numerics;
using System.Runtime.CompilerServices;
using Dunlin.Contracts.Manifests;
using Dunlin.Runtime.Frames;

namespace Dunlin.Runtime.Preprocessing;

/// <summary>
/// Makes the input tensor of one model out of frames: decode, region, fit, resampling, colour, normalization, layout, in one
/// pass over the picture after the decode. For one thread at a time. Allocates only when the size or format of
/// the frames changes. Resampling happens before colour conversion and clamping, which for pixels in gamut is the same.
/// </summary>
public sealed unsafe class Preprocessor : IDisposable
{
    private readonly InputSpec _spec;
    private readonly JpegDecoder _jpeg;
    private readonly Func<int, int, int> _scale;
    private readonly ModelSizedImages _modelSized;
    private readonly float[] _scratch;
    private readonly int _scratchLength;
    private Resampling? _resampling;

    /// <exception cref="InvalidOperationException">libturbojpeg is not installed.</exception>
    /// <exception cref="ArgumentException">The specification contradicts itself.</exception>
    public Preprocessor(InputSpec spec, JpegLimits? limits = null)
    {
        if (spec.Mean.Count != spec.ChannelCount || spec.Scale.Count != spec.ChannelCount)
            throw new ArgumentException($"Input '{spec.Tensor}' needs {spec.ChannelCount} means and scales, one a channel.", nameof(spec));
        if (spec.Width < 1 || spec.Height < 1)
            throw new ArgumentException($"Input '{spec.Tensor}' has {spec.Width} × {spec.Height} pixels; at least one is needed.", nameof(spec));
        _spec = spec;
        _jpeg = new JpegDecoder(limits ?? JpegLimits.Default, spec.Channels == ChannelOrder.Gray);
        _scale = ScaleFor;
        _modelSized = new ModelSizedImages(spec);
        _scratchLength = HorizontalPass.OutputLength(spec.Width);
        _scratch = GC.AllocateArray<float>(3 * _scratchLength, pinned: true);
    }

    /// <summary>Elements of the tensor.</summary>
    public int TensorLength => _spec.Width * _spec.Height * _spec.ChannelCount;

    /// <summary>Fills a float32 tensor. What it holds is undefined unless the status is <see cref="FrameStatus.Ok"/>.</summary>
    public FrameStatus Process(FrameBuffer frame, Span<float> tensor)
    {
        CheckLength(tensor.Length);
        fixed (float* floats = tensor) return Process(frame, floats, null);
    }

    /// <summary>Fills a uint8 tensor: <c>(pixel − mean) · scale</c>, rounded and saturated.</summary>
    public FrameStatus Process(FrameBuffer frame, Span<byte> tensor)
    {
        CheckLength(tensor.Length);
        fixed (byte* bytes = tensor) return Process(frame, null, bytes);
    }

    /// <summary>Normalizes an image that has the model's size and channels already (golden sets): NHWC, channels in the model's order.</summary>
    public void ProcessModelSized(ReadOnlySpan<byte> nhwc, Span<float> tensor)
    {
        CheckLength(nhwc.Length);
        CheckLength(tensor.Length);
        _modelSized.Process(nhwc, tensor);
    }

    /// <inheritdoc cref="ProcessModelSized(ReadOnlySpan{byte}, Span{float})"/>
    public void ProcessModelSized(ReadOnlySpan<byte> nhwc, Span<byte> tensor)
    {
        CheckLength(nhwc.Length);
        CheckLength(tensor.Length);
        _modelSized.Process(nhwc, tensor);
    }

    public void Dispose() => _jpeg.Dispose();

    private FrameStatus Process(FrameBuffer frame, float* floats, byte* bytes)
    {
        fixed (byte* content = frame.Content)
        {
            var status = frame.Format == PixelFormat.Jpeg
                ? _jpeg.Decode(frame.Content, _scale, out var picture)
                : Uncompressed(frame, content, out picture);
            if (status != FrameStatus.Ok) return status;
            if (_resampling is null || _resampling.Shape != picture.Shape) _resampling = new Resampling(_spec, picture.Shape);
            Fill(_resampling, picture, floats, bytes);
            return FrameStatus.Ok;
        }
    }

    private static FrameStatus Uncompressed(FrameBuffer frame, byte* content, out Picture picture)
    {
        picture = new Picture { Plane0 = content, Stride0 = frame.Stride };
        if (frame.Length == 0) return FrameStatus.Empty;
        var yuyv = frame.Format == PixelFormat.Yuyv;
        var rowLength = (long)frame.Width * (yuyv ? 2 : 3);
        if (frame.Width < 1 || frame.Height < 1 || (yuyv && frame.Width % 2 != 0) || frame.Stride < rowLength
            || frame.Length < (frame.Height - 1L) * frame.Stride + rowLength || frame.Length > (long)frame.Height * frame.Stride)
            return FrameStatus.WrongLength;
        picture.Shape = yuyv
            ? new PictureShape(PixelLayout.LimitedRangeYuv, Packing.Yuyv, frame.Width, frame.Height, 8, 2, 1)
            : new PictureShape(PixelLayout.Rgb, Packing.Rgb24, frame.Width, frame.Height, 8, 1, 1);
        return FrameStatus.Ok;
    }

    /// <summary>The smallest of the scales that libturbojpeg does fast and that still has a pixel for each target pixel.</summary>
    private int ScaleFor(int width, int height)
    {
        var fit = Fit.Of(_spec, width, height);
        for (var eighths = 1; eighths < 8; eighths *= 2)
            if (fit.SourceWidth * eighths >= 8 * fit.TargetWidth && fit.SourceHeight * eighths >= 8 * fit.TargetHeight) return eighths;
        return 8;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Fill(Resampling resampling, in Picture picture, float* floats, byte* bytes)
    {
        var fit = resampling.Fit;
        if (fit.TargetWidth < _spec.Width || fit.TargetHeight < _spec.Height)
        {
            if (floats != null) new Span<float>(floats, TensorLength).Clear();
            else new Span<byte>(bytes, TensorLength).Clear();
        }

        var planes = stackalloc float*[3];
        for (var y = 0; y < fit.TargetHeight; y++)
        {
            resampling.Row(picture, y, planes);
            WriteRow(resampling.Colours, planes, fit.TargetX, fit.TargetY + y, fit.TargetWidth, floats, bytes);
        }
    }

    private void WriteRow(ColourMap colours, float** planes, int x, int y, int length, float* floats, byte* bytes)
    {
        var channels = _spec.ChannelCount;
        var interleaved = _spec.Layout == TensorLayout.Nhwc && channels > 1;
        var direct = floats != null && !interleaved && length >= Vector<float>.Count;
        var rows = stackalloc float*[3];
        for (var channel = 0; channel < channels; channel++)
        {
            rows[channel] = direct ? floats + Offset(channel) : (float*)Unsafe.AsPointer(ref _scratch[channel * _scratchLength]);
            RowWriter.Convert(planes[0], planes[1], planes[2], colours, channel, rows[channel], length);
        }

        if (direct) return;
        if (floats != null && interleaved)
            RowWriter.Interleave(rows[0], rows[1], rows[2], floats + ((long)y * _spec.Width + x) * 3, length);
        for (var channel = 0; channel < channels; channel++)
        {
            if (bytes != null && interleaved)
                RowWriter.ToBytes(rows[channel], bytes + ((long)y * _spec.Width + x) * 3 + channel, 3, length);
            else if (bytes != null)
                RowWriter.ToBytes(rows[channel], bytes + Offset(channel), 1, length);
            else if (!interleaved)
                new Span<float>(rows[channel], length).CopyTo(new Span<float>(floats + Offset(channel), length));
        }

        long Offset(int channel) => ((long)channel * _spec.Height + y) * _spec.Width + x;
    }

    private void CheckLength(int length)
    {
        if (length != TensorLength)
            throw new ArgumentException(
                $"Input '{_spec.Tensor}' has {_spec.ChannelCount} × {_spec.Height} × {_spec.Width} elements, not {length}.", nameof(length));
    }
}
