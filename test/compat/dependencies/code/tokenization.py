from transformers import PreTrainedTokenizerFast


class ShiftedTokenizer(PreTrainedTokenizerFast):
    def _encode_plus(self, *args, **kwargs):
        encoded = super()._encode_plus(*args, **kwargs)
        encoded["shifted"] = [id + 1 for id in encoded["input_ids"]]
        return encoded
