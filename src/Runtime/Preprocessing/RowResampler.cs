using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Dunlin.Runtime.Preprocessing;

/// <summary>
/// Applies an <see cref="AxisTable"/> along a row of bytes. Each block of lanes takes its taps from one window of the row
/// by a byte shuffle: no gathers, no scalar loads. Rows must be followed by <see cref="Padding"/> readable bytes.
/// </summary>
internal sealed unsafe class RowResampler
{
    /// <summary>Bytes that may be read, but are never used, beyond the end of a row.</summary>
    public const int Padding = 64;

    private readonly AxisTable _axis;
    private readonly int _lanes;
    private readonly int _blockCount;
    private readonly int[] _windows;
    private readonly byte[] _indices;
    private readonly float[] _weights;

    public RowResampler(AxisTable axis, int sourceLength)
    {
        _axis = axis;
        _lanes = Avx512Vbmi.IsSupported && Fits(axis, sourceLength, 16, 64) ? 16 : Fits(axis, sourceLength, 4, 16) ? 4 : 0;
        if (_lanes == 0)
        {
            (_windows, _indices, _weights) = ([], [], []);
            return;
        }

        _blockCount = (axis.TargetLength + _lanes - 1) / _lanes;
        _windows = new int[_blockCount * axis.TapCount];
        _indices = GC.AllocateArray<byte>(_windows.Length * _lanes * 4, pinned: true);
        _weights = GC.AllocateArray<float>(_windows.Length * _lanes, pinned: true);
        Fill(sourceLength);
    }

    /// <summary>Floats that <see cref="Apply"/> writes: the target length, rounded up.</summary>
    public static int OutputLength(int targetLength) => (targetLength + 15) & ~15;

    public void Apply(byte* row, float* output)
    {
        if (_lanes == 16) ApplyWide(row, output);
        else if (_lanes == 4) ApplyNarrow(row, output);
        else ApplyScalar(row, output);
    }

    private static bool Fits(AxisTable axis, int sourceLength, int lanes, int window)
    {
        for (var first = 0; first < axis.TargetLength; first += lanes)
        {
            var last = Math.Min(first + lanes, axis.TargetLength) - 1;
            for (var k = 0; k < axis.TapCount; k++)
                if (Source(axis, sourceLength, last, k) - Source(axis, sourceLength, first, k) >= window) return false;
        }

        return true;
    }

    private static int Source(AxisTable axis, int sourceLength, int target, int tap) =>
        Math.Min(axis.Starts[target] + tap, sourceLength - 1);

    private void Fill(int sourceLength)
    {
        _indices.AsSpan().Fill(0xFF);
        for (var i = 0; i < _blockCount * _lanes; i++)
            for (var k = 0; k < _axis.TapCount; k++)
            {
                var at = i / _lanes * _axis.TapCount + k;
                var target = Math.Min(i, _axis.TargetLength - 1);
                if (i % _lanes == 0) _windows[at] = Source(_axis, sourceLength, target, k);
                _indices[(at * _lanes + i % _lanes) * 4] = (byte)(Source(_axis, sourceLength, target, k) - _windows[at]);
                _weights[at * _lanes + i % _lanes] = i == target ? _axis.Weights[target * _axis.TapCount + k] : 0;
            }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void ApplyWide(byte* row, float* output)
    {
        fixed (int* windows = _windows)
        fixed (byte* indices = _indices)
        fixed (float* weights = _weights)
        {
            var lowByte = Vector512.Create(0xFF);
            var taps = _axis.TapCount;
            var at = 0;
            for (var block = 0; block < _blockCount; block++)
            {
                var sum = Vector512<float>.Zero;
                for (var k = 0; k < taps; k++, at++)
                {
                    var shuffled = Avx512Vbmi.PermuteVar64x8(Vector512.Load(row + windows[at]), Vector512.Load(indices + at * 64));
                    var pixels = Vector512.ConvertToSingle(shuffled.AsInt32() & lowByte);
                    sum = Vector512.MultiplyAddEstimate(pixels, Vector512.Load(weights + at * 16), sum);
                }

                sum.Store(output + block * 16);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void ApplyNarrow(byte* row, float* output)
    {
        fixed (int* windows = _windows)
        fixed (byte* indices = _indices)
        fixed (float* weights = _weights)
        {
            var taps = _axis.TapCount;
            var at = 0;
            for (var block = 0; block < _blockCount; block++)
            {
                var sum = Vector128<float>.Zero;
                for (var k = 0; k < taps; k++, at++)
                {
                    var shuffled = Vector128.ShuffleNative(Vector128.Load(row + windows[at]), Vector128.Load(indices + at * 16));
                    var pixels = Vector128.ConvertToSingle(shuffled.AsInt32());
                    sum = Vector128.MultiplyAddEstimate(pixels, Vector128.Load(weights + at * 4), sum);
                }

                sum.Store(output + block * 4);
            }
        }
    }

    private void ApplyScalar(byte* row, float* output)
    {
        var taps = _axis.TapCount;
        for (var i = 0; i < _axis.TargetLength; i++)
        {
            var source = row + _axis.Starts[i];
            var weights = _axis.Weights.AsSpan(i * taps, taps);
            var sum = 0f;
            for (var k = 0; k < weights.Length; k++) sum += source[k] * weights[k];
            output[i] = sum;
        }
    }
}
