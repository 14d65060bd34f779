using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Dunlin.Runtime.Preprocessing;

/// <summary>
/// Applies an <see cref="AxisTable"/> along a row of bytes. Each block of lanes takes its taps from one window of the row
/// by a byte shuffle: no gathers, no scalar loads. Rows must be followed by <see cref="Padding"/> readable bytes.
/// </summary>
internal sealed unsafe class RowResampler
{
    /// <summary>Bytes that may be read, but are never used, beyond the end of a row.</summary>
    public const int Padding = 64;

    private const int Lanes = 4;
    private const int Window = 16;

    private readonly AxisTable _axis;
    private readonly int _blockCount;
    private readonly int[] _windows;
    private readonly byte[] _indices;
    private readonly float[] _weights;

    public RowResampler(AxisTable axis, int sourceLength)
    {
        _axis = axis;
        if (!Fits(axis, sourceLength))
        {
            (_windows, _indices, _weights) = ([], [], []);
            return;
        }

        _blockCount = (axis.TargetLength + Lanes - 1) / Lanes;
        _windows = new int[_blockCount * axis.TapCount];
        _indices = GC.AllocateArray<byte>(_windows.Length * Window, pinned: true);
        _weights = GC.AllocateArray<float>(_windows.Length * Lanes, pinned: true);
        Fill(sourceLength);
    }

    /// <summary>Floats that <see cref="Apply"/> writes: the target length, rounded up.</summary>
    public static int OutputLength(int targetLength) => (targetLength + 15) & ~15;

    public void Apply(byte* row, float* output)
    {
        if (_blockCount > 0) ApplyVector(row, output);
        else ApplyScalar(row, output);
    }

    private static bool Fits(AxisTable axis, int sourceLength)
    {
        for (var first = 0; first < axis.TargetLength; first += Lanes)
        {
            var last = Math.Min(first + Lanes, axis.TargetLength) - 1;
            for (var k = 0; k < axis.TapCount; k++)
                if (Source(axis, sourceLength, last, k) - Source(axis, sourceLength, first, k) >= Window) return false;
        }

        return true;
    }

    private static int Source(AxisTable axis, int sourceLength, int target, int tap) =>
        Math.Min(axis.Starts[target] + tap, sourceLength - 1);

    private void Fill(int sourceLength)
    {
        _indices.AsSpan().Fill(0xFF);
        for (var i = 0; i < _blockCount * Lanes; i++)
            for (var k = 0; k < _axis.TapCount; k++)
            {
                var at = i / Lanes * _axis.TapCount + k;
                var target = Math.Min(i, _axis.TargetLength - 1);
                if (i % Lanes == 0) _windows[at] = Source(_axis, sourceLength, target, k);
                _indices[(at * Lanes + i % Lanes) * 4] = (byte)(Source(_axis, sourceLength, target, k) - _windows[at]);
                _weights[at * Lanes + i % Lanes] = i == target ? _axis.Weights[target * _axis.TapCount + k] : 0;
            }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void ApplyVector(byte* row, float* output)
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
