using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Manifests;

namespace Dunlin.Optimizer.Data;

/// <summary>
/// Labelled images, decoded and brought to a model's input size once, by the device's own way, and kept as bytes in a mapped file. May be read
/// by any number of threads.
/// </summary>
internal sealed class PixelSet : IDisposable
{
    private readonly PixelFile _file;
    private readonly bool _ownsFile;
    private readonly IReadOnlyList<ImageSample> _samples;
    private readonly ClassMap _classes;
    private readonly byte[][] _sums;
    private readonly int[] _places;

    private PixelSet(PixelFile file, bool ownsFile, IReadOnlyList<ImageSample> samples, ClassMap classes, byte[][] sums, int[] places, InputSpec input, IReadOnlyList<UnreadableImage> unreadable) =>
        (_file, _ownsFile, _samples, _classes, _sums, _places, Input, Unreadable) = (file, ownsFile, samples, classes, sums, places, input, unreadable);

    /// <summary>Those that could be read.</summary>
    public int Count => _places.Length;

    /// <summary>Pixels.</summary>
    public int Width => Input.Width;

    /// <summary>Pixels.</summary>
    public int Height => Input.Height;

    public int ChannelCount => Input.ChannelCount;

    /// <summary>Bytes of an image, and floats of its tensor.</summary>
    public int Size => Width * Height * ChannelCount;

    public InputSpec Input { get; }

    /// <summary>By output of the model.</summary>
    public IReadOnlyList<string> ClassNames => _classes.Names;

    /// <summary>Those that could not be read, and are left out.</summary>
    public IReadOnlyList<UnreadableImage> Unreadable { get; }

    /// <summary>Reads images on all CPUs.</summary>
    /// <param name="samples">In the order in which they will stand.</param>
    /// <param name="classes">Say each image's label.</param>
    /// <param name="input">Size, fit and normalization.</param>
    /// <param name="unreadableShare">Share, 0…1, that may be unreadable.</param>
    /// <param name="cancellationToken">Checked before each image.</param>
    /// <exception cref="InvalidDataException">There are none, or too many are unreadable.</exception>
    public static PixelSet Read(IReadOnlyList<ImageSample> samples, ClassMap classes, InputSpec input, double unreadableShare, CancellationToken cancellationToken)
    {
        if (samples.Count == 0) throw new InvalidDataException("There are no images to read; give at least one.");
        int size = input.Width * input.Height * input.ChannelCount, next = -1;
        var file = new PixelFile((long)size * samples.Count);
        try
        {
            var (reasons, sums) = (new string?[samples.Count], new byte[samples.Count][]);
            ThreadTeam.Run(Math.Min(Environment.ProcessorCount, samples.Count), () =>
            {
                using var reader = new ModelSizeReader(input);
                for (int i; (i = Interlocked.Increment(ref next)) < samples.Count;)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    var pixels = file.At((long)i * size, size);
                    reasons[i] = reader.Read(samples[i], pixels);
                    sums[i] = SHA256.HashData(pixels);
                }
            }, cancellationToken);

            var unreadable = Enumerable.Range(0, samples.Count).Where(i => reasons[i] is not null).Select(i => new UnreadableImage(samples[i].Name, reasons[i]!)).ToList();
            UnreadableImage.RequireFew(unreadable, samples.Count, unreadableShare);
            return new PixelSet(file, ownsFile: true, samples, classes, sums, [.. Enumerable.Range(0, samples.Count).Where(i => reasons[i] is null)], input, unreadable);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Of pixels and labels in their order, and of how the model takes them: what was computed from equal sets is equal.</summary>
    public Digest Key
    {
        get
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            hash.AppendData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Width} {Height} {Input.Channels} {Input.Layout} {string.Join(' ', Input.Mean)} {string.Join(' ', Input.Scale)}")));
            for (var i = 0; i < Count; i++)
            {
                hash.AppendData(_sums[_places[i]]);
                hash.AppendData(BitConverter.GetBytes(Label(i)));
            }

            return Digest.Parse($"sha256:{Convert.ToHexStringLower(hash.GetHashAndReset())}");
        }
    }

    /// <summary>Where it lies in its data set.</summary>
    public string Name(int index) => _samples[_places[index]].Name;

    /// <summary>The right output.</summary>
    public int Label(int index) => _classes.LabelOf(_samples[_places[index]]);

    /// <summary>Height × width × channels in the model's order. Valid until the set is disposed.</summary>
    public ReadOnlySpan<byte> Pixels(int index) => _file.At((long)_places[index] * Size, Size);

    /// <summary>The image as the model takes it: normalized, in its layout.</summary>
    public void WriteTensor(int index, Span<float> tensor) => ImageTensor.Write(Input, Pixels(index), tensor);

    /// <summary>The images as the model takes them, one after the other in the same memory.</summary>
    public IEnumerable<float[]> Tensors()
    {
        var tensor = new float[Size];
        for (var i = 0; i < Count; i++)
        {
            WriteTensor(i, tensor);
            yield return tensor;
        }
    }

    /// <summary>The images at these places, in this order. The pixels stay this set's; disposing what is returned does nothing.</summary>
    public PixelSet Select(IReadOnlyList<int> indices) =>
        new(_file, ownsFile: false, _samples, _classes, _sums, [.. indices.Select(i => _places[i])], Input, Unreadable);

    /// <summary>At most so many images, evenly spread, since class mostly stands behind class; as <see cref="Select"/> gives them.</summary>
    public PixelSet Take(int count)
    {
        var taken = Math.Min(count, Count);
        return Select([.. Enumerable.Range(0, taken).Select(i => (int)((long)i * Count / taken))]);
    }

    /// <summary>Whether another input takes the same pixels, however it normalizes and lays them out.</summary>
    public bool Fits(InputSpec input) =>
        Geometry(input) == Geometry(Input) && (input.Fit != FitMode.Letterbox || input.Mean.SequenceEqual(Input.Mean));

    /// <summary>The same pixels for an input that they fit; they stay this set's.</summary>
    public PixelSet As(InputSpec input) => Fits(input)
        ? new(_file, ownsFile: false, _samples, _classes, _sums, _places, input, Unreadable)
        : throw new ArgumentException("The input takes other pixels.", nameof(input));

    public void Dispose()
    {
        if (_ownsFile) _file.Dispose();
    }

    private static (int, int, ChannelOrder, FitMode, double?, Interpolation, RegionOfInterest?) Geometry(InputSpec input) => (input.Width, input.Height, input.Channels, input.Fit, input.CropFraction, input.Interpolation, input.RegionOfInterest);
}
